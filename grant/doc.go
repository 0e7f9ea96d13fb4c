// Package grant keeps tokens alive for all instances of an app.
package grant
