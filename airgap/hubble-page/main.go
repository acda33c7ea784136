// hubble-page stands in for Hubble UI, whose images cannot be had from package registries. It is not Hubble UI: one page
// that shows what `hubble observe` says through Hubble Relay.
//
// Cilium's chart runs two containers in the Pod hubble-ui, and gives the second one EVENTS_SERVER_PORT: there this
// program is the feed, which runs `hubble`; in the first one it is the page, and hands /api on to the feed, as the
// chart's nginx does for the real one.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// Where the chart's probes and its Service look for the page.
	pageAddress = ":8081"
	// The feed, from the page; one Pod has one loopback.
	feedAddress = "127.0.0.1:8090"
)

func main() {
	log.SetFlags(0)
	stop, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	address, handler := pageAddress, page(feedAddress)
	if port := os.Getenv("EVENTS_SERVER_PORT"); port != "" {
		address, handler = ":"+port, feed(stop, observe(os.Getenv("FLOWS_API_ADDR")))
	}
	if err := serve(stop, address, handler); err != nil {
		log.Fatal(err)
	}
}

// serve answers until stop; a feed ends with stop too, so nothing is waited for.
func serve(stop context.Context, address string, handler http.Handler) error {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-stop.Done()
		_ = server.Close()
	}()
	log.Printf("hubble-page, a stand-in for Hubble UI, listens on %s", address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
