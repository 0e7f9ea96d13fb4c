package grant

import "example.com/authcode/internal/seal"

// sealedAs says what the content of a record is bound to.
func sealedAs(key Key, version int64) seal.Record {
	return seal.Record{Kind: key.Kind, ID: key.ID, Version: version}
}

// digestOf returns what new records have for purpose and parts.
func digestOf(ring seal.Ring, purpose string, parts ...string) (d Digest) {
	copy(d[:], ring.Digests(purpose, parts...)[0])
	return d
}
