package try

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"example.com/authcode/clientauth"
)

// keyring holds the keys with which the app signs, and the certificate that it
// shows. What is not needed is empty.
type keyring struct {
	client      clientauth.Key
	certificate tls.Certificate
	proofs      crypto.Signer // for all DPoP proofs; nil if each session has its own key
}

// load reads the files that the flags name.
func (o *options) load() (k keyring, err error) {
	if o.clientKey != "" {
		k.client = clientauth.Key{ID: o.clientKeyID, Algorithm: o.keyAlg}
		if k.client.Signer, err = readKey("client-key", o.clientKey); err != nil {
			return keyring{}, err
		}
	}
	if o.dpopKey != "" {
		if k.proofs, err = readKey("dpop-key", o.dpopKey); err != nil {
			return keyring{}, err
		}
	}
	if o.clientCert != "" {
		if k.certificate, err = readCertificate(o.clientCert, o.clientCertKey); err != nil {
			return keyring{}, err
		}
	}
	return k, nil
}

// readFile returns the content of a file. Its error names neither the file nor
// the content: somebody may have put a key where the name of its file belongs.
func readFile(flag, name string) ([]byte, error) {
	text, err := os.ReadFile(name)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	if err != nil {
		return nil, fmt.Errorf("-%s: the file cannot be read (%w): check its name and permissions",
			flag, err)
	}
	return text, nil
}

// readKey reads the first private key of a PEM file.
func readKey(flag, name string) (crypto.Signer, error) {
	text, err := readFile(flag, name)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		// The file may also hold the parameters of a curve, or a certificate.
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, fmt.Errorf("-%s: the private key is encrypted: decrypt it first (openssl "+
				"pkey)", flag)
		}
		key, err := parseKey(block)
		if err != nil {
			return nil, fmt.Errorf("-%s: %w", flag, err)
		}
		return key, nil
	}
	return nil, fmt.Errorf("-%s: there is no private key in the file: name a PEM file", flag)
}

// parseKey parses a private key in one of the three usual forms.
func parseKey(block *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	signer, ok := key.(crypto.Signer)
	// The text of err is left out: it may describe the key.
	if err != nil || !ok {
		return nil, errors.New("the private key cannot be used: use RSA, P-256 or Ed25519 as " +
			"PKCS#8, SEC 1 or PKCS#1")
	}
	return signer, nil
}

// readCertificate reads a certificate with its chain, and its key.
func readCertificate(certName, keyName string) (tls.Certificate, error) {
	cert, err := readFile("client-cert", certName)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readFile("client-cert-key", keyName)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, errors.New("-client-cert and -client-cert-key cannot be " +
			"used: name a certificate and its own, unencrypted private key, both as PEM")
	}
	return pair, nil
}

// localCertificate makes a self-signed certificate for the names of this
// machine. Browsers warn of it.
func localCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "authcode try"},
		DNSNames:     []string{"localhost", "*.localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(30 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
