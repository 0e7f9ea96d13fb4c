module example.com/authcode/example

go 1.26.0

require example.com/authcode v0.0.0

require (
	github.com/go-jose/go-jose/v4 v4.1.8 // indirect
	github.com/gorilla/securecookie v1.1.2 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
)

replace example.com/authcode => ../
