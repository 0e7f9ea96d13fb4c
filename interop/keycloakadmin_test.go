package interop

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// keycloakAdmin is the client ID that manages realms.
const keycloakAdmin = "interop admin"

// addRealm adds a realm with one client and alice, in the place of one that may be
// there. It returns the issuer. The realm stays, since to remove it takes seconds.
func (k *keycloak) addRealm(t *testing.T, name, clientID string) string {
	t.Helper()
	k.removeRealm(t, name)
	k.manage(t, http.MethodPost, "", map[string]any{
		"realm": name, "enabled": true, "users": []any{keycloakPerson(name)},
		"clients": []any{map[string]any{
			"clientId": clientID, "clientAuthenticatorType": bySecret, "secret": keycloakSecret,
			// The apps of the tests are at ports that nobody knows yet.
			"redirectUris": []string{"https://localhost:*"},
		}},
	}, http.StatusCreated)
	return k.outer + "/realms/" + name
}

// removeRealm removes a realm. One that is gone stays so.
func (k *keycloak) removeRealm(t *testing.T, name string) {
	t.Helper()
	k.manage(t, http.MethodDelete, "/"+name, nil, http.StatusNoContent, http.StatusNotFound)
}

// manage sends a request to Keycloak's admin API, and expects one of these
// statuses.
func (k *keycloak) manage(t *testing.T, method, path string, body any, want ...int) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, k.outer+"/admin/realms"+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+k.adminToken(t))
	k.ask(t, req, want...)
}

// adminToken returns a new access token for the admin API. One that is older than
// a realm has no rights there.
func (k *keycloak) adminToken(t *testing.T) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, k.outer+"/realms/master/protocol/openid-connect/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// RFC 6749 section 2.3.1
	req.SetBasicAuth(url.QueryEscape(keycloakAdmin), url.QueryEscape(k.adminSecret))
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(k.ask(t, req, http.StatusOK), &token); err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

func (k *keycloak) ask(t *testing.T, req *http.Request, want ...int) []byte {
	t.Helper()
	client := &http.Client{Transport: theCertificate(t).transport()}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range want {
		if res.StatusCode == status {
			return body
		}
	}
	t.Fatalf("%s %s: %s: %s", req.Method, req.URL, res.Status, body)
	return nil
}
