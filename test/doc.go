// Package test has the tests that take a whole login as a black box: stories of
// a browser, an app and a provider, and tables of attacks, one table for each
// rule. The world that they share is package world, below. The root package
// keeps the unit tests of its files.
//
// # The numbered attacks
//
// Each has a number in the documents of the project. D01 to D20, but for D19,
// are the subtests of TestAttacks; the others stand where the table says. When a
// test ends, all that its app let out is searched, raw and encoded, for its client
// secret, codes, verifiers, states, tokens, cookie values and keys.
//
//	D01  Credentials with colon, plus, space, percent and UTF-8 arrive
//	     exactly: by Basic, in the body, and as a public client.
//	D02  10,000 logins: no state and no verifier repeats; the challenge is
//	     S256.
//	D03  The attacker's code and state in a browser without a login are
//	     refused.
//	D04  A wrong, missing or empty state is refused, and the pending login
//	     still finishes.
//	D05  The attacker's code with the victim's state: the victim's verifier
//	     is sent, and the server refuses.
//	D06  The attributes of every cookie, for https and for http on
//	     loopback.
//	D07  A repeated parameter is refused before anything is redeemed.
//	D08  error=access_denied, with and without a valid state: typed, and
//	     the server's words are not shown.
//	D09  Two tabs finish in either order; of eight the newest five do.
//	D10  Reload, back button and double click redeem once, and offer a way
//	     on.
//	D11  A cookie that was changed, cut, moved, or made for another
//	     provider or by another key is refused.
//	D12  An expired login (TestAge), and a login whose key was rotated:
//	     kept and dropped.
//	D13  Return paths never leave the origin; good ones survive byte for
//	     byte.
//	D14  A redirect of the token endpoint is not followed.
//	D15  500 with HTML, and 400 that echoes the request: neither shown nor
//	     logged.
//	D16  A token endpoint that is silent, or sends a byte a second, ends
//	     with the caller's deadline or after ten seconds, and no goroutine
//	     is left.
//	D17  10 MB, endless answers and gzip bombs are refused in little memory
//	     (TestOversizedAnswersCostLittleMemory).
//	D18  GitHub: 200 with an error, a form-encoded token, no expires_in.
//	D19  Dumps of Config, Client, Login and Error show no secret
//	     (TestNothingSecretPrints, and every world).
//	D20  One instance starts a login and another finishes it.
//	D21  The callback comes twice, and the browser dropped the first
//	     request: signed in, once (TestCallbackDeliveredTwice and the
//	     tests beside it).
//	D22  The token endpoint sends GOAWAY or REFUSED_STREAM: no login is
//	     lost and no code is processed twice (TestNoLoginIsLostToGOAWAY,
//	     TestNginxGOAWAY in interop); a server that refuses every stream
//	     sees three requests (TestServerThatRefusesEveryStream).
//	D23  form_post and a session cookie of SameSite=Lax
//	     (TestFormPostKeepsTheAppsSession); a body that stops
//	     (TestABodyThatNeverComes).
//	D24  Another site posts 40 times to whatever starts a login, and no cookie is
//	     set (TestWhatSetsTheCookieIsGuarded).
//	D25  A seam is wrapped by struct embedding, by interface embedding, by
//	     a function, and every rule still holds: TestWrapped in oidc,
//	     clientauth and dpop, TestFaults in fapi.
//	D26  The URLs of a preset were changed to another host
//	     (TestMovedPresets and TestPresetAtAnotherInstallation in provider).
//	D27  Two servers under one name, one client id and one redirect URL:
//	     the callback of one is refused at the other
//	     (TestTwoServersUnderOneName, TestMetadataThatMoves).
//	D28  In session: the id of a person who signed out (TestSignedOutID); an
//	     app with another key (TestWhatAThiefOfTheStorePresents); a copy of
//	     the store (TestStolenStore). At another tenant's pages:
//	     TestASessionBelongsToItsTenant in tenants.
//	D29  Two records of the store swapped, edited or mixed
//	     (TestChangedRecords, TestEveryByteCounts); a stolen table
//	     (TestStolenTable); a whole older row (TestOlderRow).
//	D30  Instances renew one token, and the holder dies or freezes at each
//	     step: TestHolderStops and TestRunTakesUp in grant. Processes that
//	     are killed: interop.
//	D31  A back-channel logout arrives at another instance:
//	     TestBackChannelLogout and TestEndDuringRequest in session. In each
//	     order, in processes: TestSessionsEndInEachOrder in interop.
//	D32  A customer's issuer is an address inside: typed in, by a name, by
//	     one that moves, by what its provider names, by redirects
//	     (TestProvidersInside in tenants; the guard alone: TestNames,
//	     TestSpellingsOfHosts, TestRebinding, TestRedirects).
//	D33  A hostile tenant beside an honest one: TestMixUp and
//	     TestAnswersInOtherLogins in tenants, for both kinds of redirect
//	     URL. Real providers on one redirect URL: TestTenants in interop.
//	D34  A hundred hostile tenants beside ten good ones in one registry
//	     (TestAHundredHostileTenants in tenants; BenchmarkBesideHostile has
//	     the times).
package test
