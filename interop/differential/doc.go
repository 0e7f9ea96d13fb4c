// Package differential compares package oidc with another implementation, coreos/go-oidc: both read
// the same ID tokens. It holds tests only. It stands beside the servers and the browser of package
// interop, so that the fuzzer has little to build.
package differential
