package main

import (
	"context"
	"fmt"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// unserved answers for every token that the stand-in does not know, and tells the user once a run, at Configure, that
// it is the stand-in: a plugin that says nothing would be taken for the real one.
func unserved() p.Provider {
	return p.Provider{
		Configure: func(ctx context.Context, _ p.ConfigureRequest) error {
			p.GetLogger(ctx).Info(standInNotice)
			return nil
		},
		Check: func(_ context.Context, r p.CheckRequest) (p.CheckResponse, error) {
			return p.CheckResponse{}, notServed(r.Urn.Type())
		},
		Diff: func(_ context.Context, r p.DiffRequest) (p.DiffResponse, error) {
			return p.DiffResponse{}, notServed(r.Urn.Type())
		},
		Create: func(_ context.Context, r p.CreateRequest) (p.CreateResponse, error) {
			return p.CreateResponse{}, notServed(r.Urn.Type())
		},
		Read: func(_ context.Context, r p.ReadRequest) (p.ReadResponse, error) {
			return p.ReadResponse{}, notServed(r.Urn.Type())
		},
		Update: func(_ context.Context, r p.UpdateRequest) (p.UpdateResponse, error) {
			return p.UpdateResponse{}, notServed(r.Urn.Type())
		},
		Delete: func(_ context.Context, r p.DeleteRequest) error {
			return notServed(r.Urn.Type())
		},
		Invoke: func(_ context.Context, r p.InvokeRequest) (p.InvokeResponse, error) {
			return p.InvokeResponse{}, notServed(r.Token)
		},
	}
}

func notServed(token tokens.Type) error {
	return status.Error(codes.NotFound, fmt.Sprintf("%s is not served by this %s; it "+
		"needs the real plugin: pulumi plugin install resource command %s", token, standInNotice, version))
}
