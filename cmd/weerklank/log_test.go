package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// What a handler fell over, and what a request was, stay out of the log, at any level.
func TestServerLogHoldsNoValues(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, cancel := context.WithCancel(t.Context())
	l := newListeners(ctx, log, func(error) {})
	addr, err := l.add("test", "tcp", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		panic("SECRET " + string(body))
	}))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Post("http://"+addr+"/SECRET?token=SECRET", "text/plain", strings.NewReader("SECRET")); err == nil {
		resp.Body.Close()
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(raw, "SECRET / HTTP/1.1\r\nSECRET\r\n\r\n")
	io.Copy(io.Discard, raw)
	raw.Close()
	cancel()
	l.closeIntake(t.Context())
	if err := l.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"http: panic serving 127.0.0.1:1: SECRET", "SECRET said the library", "http: 12 SECRET"} {
		if _, err := serverLog(log).Writer().Write([]byte(line)); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(out.String(), `"kind":"panic serving"`) {
		t.Errorf("the panic is not told:\n%s", &out)
	}
	if strings.Contains(out.String(), "SECRET") {
		t.Errorf("the log holds values:\n%s", &out)
	}
}

// A debug mode of the standard library that prints what it sends is refused (TRUST A27).
func TestNoTellingDebugModes(t *testing.T) {
	for _, args := range [][]string{{"run", "--config", "x.toml"}, {"demo", "--addr", "127.0.0.1:0"}} {
		var stderr bytes.Buffer
		lookup := func(name string) (string, bool) {
			if name == "GODEBUG" {
				return "madvdontneed=1,http2debug=2", true
			}
			return os.LookupEnv(name)
		}
		if code := run(t.Context(), args, lookup, strings.NewReader(""), io.Discard, &stderr); code != exitFailure || !strings.Contains(stderr.String(), "http2debug") {
			t.Errorf("%v: %d %s", args, code, &stderr)
		}
	}
}
