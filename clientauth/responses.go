package clientauth

// Responses returns what [RequestSigner.WithResponses] was given, nil if nothing.
func (s *RequestSigner) Responses() ResponseVerifier { return s.responses }
