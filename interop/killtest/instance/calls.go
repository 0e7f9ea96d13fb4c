package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
	"golang.org/x/oauth2"
)

// app calls the provider's API for its people.
type app struct {
	setup  killtest.Setup
	grants *grant.Grants
	out    *output

	mu  sync.Mutex
	ids map[int]string // of the people's grants
}

// callers is how many calls are made at a time.
func (a *app) callers() int {
	if a.setup.Worker {
		return 2
	}
	return 6
}

// call calls for one person after the other.
func (a *app) call(ctx context.Context) {
	for next := rand.N(a.setup.People); ctx.Err() == nil; next++ {
		person := next % a.setup.People
		switch {
		case a.setup.Worker:
		case rand.N(2) == 0:
			person = rand.N(a.setup.People)
		default:
			// The same one at all instances at the same time.
			person = int(killtest.Now() / int64(40*time.Millisecond) * 7919 % int64(a.setup.People))
		}
		id, err := a.idOf(ctx, person, "")
		if err == nil {
			err = a.callFor(ctx, person, id)
		}
		if err != nil {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10*time.Millisecond + rand.N(20*time.Millisecond))
	}
}

// callFor gets a token and uses it. Some callers do not wait for long.
func (a *app) callFor(ctx context.Context, person int, id string) error {
	patience := 30 * time.Second
	if rand.N(10) == 0 {
		patience = rand.N(300 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := killtest.Now()
	t, err := a.grants.Handle(id).Token(ctx)
	a.out.write(killtest.Line{Kind: killtest.Called, From: began, Text: resultOf(err)})
	var e *authcode.Error
	switch {
	case err == nil:
		return a.use(ctx, person, t)
	case errors.As(err, &e) && e.Final:
		_, err = a.idOf(context.WithoutCancel(ctx), person, id)
	}
	return err
}

// resultOf is what a call's error is counted as.
func resultOf(err error) string {
	var e *authcode.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.Check
	}
	return err.Error()
}

// use sends the token to the API, which says whether it is good to the test.
func (a *app) use(ctx context.Context, person int, t *oauth2.Token) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.setup.Provider+"/api", nil)
	if err != nil {
		return err
	}
	t.SetAuthHeader(r)
	r.Header.Set(killtest.InstanceHeader, a.setup.Name)
	r.Header.Set(killtest.PersonHeader, strconv.Itoa(person))
	_, err = do(r)
	return err
}

// idOf returns the ID of a person's grant. If ended is set, that grant has
// ended, and the person signs in again.
func (a *app) idOf(ctx context.Context, person int, ended string) (string, error) {
	a.mu.Lock()
	id := a.ids[person]
	a.mu.Unlock()
	if id != "" && id != ended {
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	query := url.Values{
		"person": {strconv.Itoa(person)}, "ended": {ended}, "instance": {a.setup.Name},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost,
		a.setup.Provider+"/signin?"+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	if id, err = do(r); err == nil {
		a.mu.Lock()
		a.ids[person] = id
		a.mu.Unlock()
	}
	return id, err
}

// client keeps a connection for each caller.
var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

func do(r *http.Request) (string, error) {
	resp, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return string(body), err
}
