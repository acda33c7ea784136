package main

import (
	"embed"
	"io/fs"
	"net/http"
	"net/http/httputil"
	"net/url"
)

//go:embed static
var static embed.FS

// Nothing is loaded from anywhere else, nor asked anywhere else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page serves the files, and hands /api/ on to the feed.
func page(feed string) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // only a build without the folder has none
	}
	handOn := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: feed})
	handOn.FlushInterval = -1 // a flow is shown when it comes, not when a buffer is full
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", healthy)
	mux.Handle("/api/", handOn)
	mux.Handle("/", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte("ok"))
}
