//go:build snippets

package interop

// What the snippets of the README import, so that go mod tidy keeps it.
import (
	_ "github.com/gin-gonic/gin"
	_ "github.com/go-chi/chi/v5"
	_ "github.com/labstack/echo/v4"
)
