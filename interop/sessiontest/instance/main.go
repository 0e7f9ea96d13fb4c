// Command instance is one instance of an app with sessions, which tests stop in
// the middle of what it does.
package main

import (
	"encoding/json"
	"log"
	"os"

	"example.com/authcode/interop/sessiontest"
)

func main() {
	log.SetFlags(0)
	var setup sessiontest.Setup
	if err := json.Unmarshal([]byte(os.Getenv(sessiontest.SetupVariable)), &setup); err != nil {
		log.Fatal(err)
	}
	if err := sessiontest.Run(setup, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}
