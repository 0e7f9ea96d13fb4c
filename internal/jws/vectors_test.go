package jws_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"example.com/authcode/internal/jws"
)

// The payload of RFC 7515 appendices A.1 to A.4, and its signing inputs.
const (
	joe      = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	joeText  = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	joeRS256 = "eyJhbGciOiJSUzI1NiJ9." + joeText + "." +
		"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj" +
		"Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe" +
		"7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8" +
		"np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	joeES256 = "eyJhbGciOiJFUzI1NiJ9." + joeText + "." +
		"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

func decode(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func integer(s string) *big.Int { return new(big.Int).SetBytes(decode(s)) }

// rfc7515RSA is the key of RFC 7515 appendix A.2.1.
func rfc7515RSA() *rsa.PrivateKey {
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{E: 65537, N: integer(
			"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d" +
				"4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r" +
				"exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGh" +
				"yxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")},
		D: integer(
			"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoA" +
				"Je46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfp" +
				"RLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDV" +
				"ZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"),
		Primes: []*big.Int{
			integer("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5P" +
				"JdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"),
			integer("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZ" +
				"D_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"),
		},
	}
	key.Precompute()
	return key
}

// TestRFC7515RS256 signs the JWS of appendix A.2, byte for byte: header, payload and signature.
func TestRFC7515RS256(t *testing.T) {
	got := must(must(jws.New(rfc7515RSA(), jws.RS256, nil)).Sign([]byte(joe)))
	if got != joeRS256 {
		t.Errorf("got %s\nwant %s", got, joeRS256)
	}
}

// TestRFC7515ES256: the R and S of appendix A.3, from a key that returns them as ASN.1, make its JWS.
// (Go's own signatures are random: the key of the appendix verifies one.)
func TestRFC7515ES256(t *testing.T) {
	x, y := decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
	public := must(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...)))
	raw := decode(joeES256[strings.LastIndexByte(joeES256, '.')+1:])
	der := must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])}))
	got := must(must(jws.New(fake{public: public, signature: der}, jws.ES256, nil)).Sign([]byte(joe)))
	if got != joeES256 {
		t.Errorf("got %s\nwant %s", got, joeES256)
	}
	digest := sha256.Sum256([]byte(got[:strings.LastIndexByte(got, '.')]))
	if !ecdsa.VerifyASN1(public, digest[:], der) {
		t.Error("the appendix's own signature does not verify")
	}
	private := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")))
	if !private.PublicKey.Equal(public) {
		t.Fatal("these are not the two halves of one key")
	}
	input, signature := split(t, must(must(jws.New(private, jws.ES256, nil)).Sign([]byte(joe))))
	digest = sha256.Sum256([]byte(input))
	if !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("a signature by the appendix's key does not verify")
	}
}

// TestRFC8037 signs the JWS of appendix A.4.
func TestRFC8037(t *testing.T) {
	const want = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." +
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	key := ed25519.NewKeyFromSeed(decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	if got := must(must(jws.New(key, jws.EdDSA, nil)).Sign([]byte("Example of Ed25519 signing"))); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
