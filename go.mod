// The module path is a placeholder until the repository has a home:
// `make rename MODULE=your.host/path` changes it everywhere.
module example.com/authcode

go 1.26.0

require (
	github.com/go-jose/go-jose/v4 v4.1.8
	github.com/gorilla/securecookie v1.1.2
	golang.org/x/oauth2 v0.37.0
)
