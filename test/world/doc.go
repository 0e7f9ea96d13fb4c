// Package world is what the tests of this module share: an app, a browser and a
// provider, and the means to find out whether a secret has got out.
//
// There are two worlds. In a [World] the app and the authorization server
// (package authserver) listen on loopback, and people come with a [Browser]
// that keeps its cookies as browsers do. All that the app lets out is kept in a
// [Transcript], which is searched for every secret when the test ends.
//
//	w := world.New(t)
//	w.Server.SetFaults(authserver.Token, authserver.HTMLError())
//	w.WantFailure(w.Browser().SignIn(""), authcode.BadAnswer, "answer.error")
//
// In the other one nothing listens. [Provider] is an http.RoundTripper that
// records each request and answers as it is told, so that it runs inside a
// testing/synctest bubble too; [Begin] and [Pending] are the browser.
//
//	p := world.Answering(400, `{"error":"invalid_grant"}`)
//	c := world.Client(t, p)
//	_, err := world.Begin(t, c, nil).Exchange(c)
//	world.WantError(t, err, authcode.GrantRejected, "answer.error")
package world
