package tenants

// SetPort makes a Finder ask another port than 443, which a test cannot have.
func (f *Finder) SetPort(port string) { f.port = ":" + port }
