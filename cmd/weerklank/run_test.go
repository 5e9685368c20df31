package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// buildIn makes the program's parts on a directory, with the embedded workspace.
func buildIn(t *testing.T, dir string) (*parts, *env) {
	t.Helper()
	e := &env{lookup: unset, stdout: io.Discard, stderr: testLog{t}, lang: prompts.English}
	c := defaultConfig()
	c.DataDir, c.Workspace.Enabled, c.Workspace.Listen, c.Admin.Listen = dir, true, "127.0.0.1:0", ""
	p, err := build(t.Context(), e, c, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, e
}

// Health and readiness say what is so: ready once what people do is taken, and neither when the store is not ours.
func TestHealthAndReadiness(t *testing.T) {
	dir := t.TempDir()
	p, e := buildIn(t, dir)
	admin := p.admin()
	codes := func() (health, ready int) { // and whether it lives, as long as its store is good
		get := func(path string) int {
			w := httptest.NewRecorder()
			admin.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			return w.Code
		}
		if get("/livez") != get("/healthz") {
			t.Error("it is not well, and starting anew does not help")
		}
		return get("/healthz"), get("/readyz")
	}
	if health, ready := codes(); health != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("before it runs: %d, %d", health, ready)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, e, "x") }()
	<-p.taking
	if _, err := p.ws.Type(ctx, "fatima", "@fatima", "help", ""); err != nil {
		t.Errorf("said to be ready, and nobody takes what people type: %v", err)
	}
	if health, ready := codes(); health != http.StatusOK || ready != http.StatusOK {
		t.Errorf("while it runs: %d, %d", health, ready)
	}
	if err := os.Rename(filepath.Join(dir, "weerklank.db"), filepath.Join(dir, "aside.db")); err != nil {
		t.Fatal(err)
	}
	if health, ready := codes(); health != http.StatusServiceUnavailable || ready != http.StatusServiceUnavailable {
		t.Errorf("when its store was moved away: %d, %d", health, ready)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, running)); err != nil {
		t.Errorf("the store was not ours at the end, and the mark that makes the next start look is gone: %v", err)
	}
}

// The mark stands while the store is open, and goes after a good end.
func TestRunningMark(t *testing.T) {
	dir := t.TempDir()
	p, _ := buildIn(t, dir)
	if _, err := os.Stat(filepath.Join(dir, running)); err != nil {
		t.Error(err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, running)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after a good end: %v", err)
	}
}

// All of stopping shares one deadline, whoever does not end.
func TestStoppingHasOneDeadline(t *testing.T) {
	dir := t.TempDir()
	p, e := buildIn(t, dir)
	p.grace = 300 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- p.serve(ctx, e, "x") }()
	<-p.taking
	entered, release, written := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		written <- p.db.UpdateTeam(context.Background(), "workspace:x", func(*bot.Team) (bot.Also, error) {
			close(entered)
			<-release
			return bot.Also{}, nil
		})
	}()
	<-entered
	began := time.Now()
	cancel()
	err := <-done
	if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "store: did not close in time") || took > 5*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if _, err := os.Stat(filepath.Join(dir, running)); err != nil {
		t.Errorf("the mark: %v", err)
	}
	close(release)
	<-written
}

// Whoever sends a part of what they announce is let go, also where no handler reads it.
func TestNothingFromOutsideIsHeldForEver(t *testing.T) {
	l := newListeners(t.Context(), slog.New(slog.DiscardHandler), func(error) {})
	soon := func(s *http.Server) { outside(s); s.ReadTimeout = min(s.ReadTimeout, 50*time.Millisecond) }
	addr, err := l.add("test", "tcp", "127.0.0.1:0", http.NotFoundHandler(), soon) // reads nothing of what it refuses
	if err != nil {
		t.Fatal(err)
	}
	if s := l.servers["test"]; s.ReadTimeout <= 0 || s.WriteTimeout <= 0 {
		t.Errorf("read %s, write %s", s.ReadTimeout, s.WriteTimeout)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(conn, "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nx")
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection stays: %v", err)
	}
	l.closeIntake(t.Context())
	if err := l.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Stopping ends open pages at once, and lets requests finish that are under way.
func TestListenersStop(t *testing.T) {
	ctx, fail := context.WithCancelCause(t.Context())
	l := newListeners(ctx, slog.New(slog.DiscardHandler), fail)
	entered, release := make(chan string, 3), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		entered <- "slow"
		<-release
		if err := r.Context().Err(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("/endless", func(_ http.ResponseWriter, r *http.Request) { entered <- "endless"; <-r.Context().Done() })
	addr, err := l.add("test", "tcp", "127.0.0.1:0", mux)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, accept string) <-chan int {
		code := make(chan int, 1)
		go func() {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+addr+path, nil)
			if err != nil {
				t.Error(err)
			}
			req.Header.Set("Accept", accept)
			resp, err := (&http.Transport{}).RoundTrip(req)
			if err != nil {
				code <- 0
				return
			}
			resp.Body.Close()
			code <- resp.StatusCode
		}()
		<-entered
		return code
	}
	slow, stream, endless := ask("/slow", "text/html"), ask("/endless", "text/event-stream"), ask("/endless", "text/html")
	fail(nil)
	stop, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	l.closeIntake(stop)
	if code := <-stream; code != http.StatusOK {
		t.Errorf("open page: %d", code)
	}
	close(release)
	if code := <-slow; code != http.StatusOK {
		t.Errorf("a request under way was cut: %d", code)
	}
	if err := l.close(stop); err != nil {
		t.Error(err)
	}
	<-endless
	if stop.Err() != nil {
		t.Error("a request without end held everything up to the deadline")
	}
}

// keys/ may be a link to another disk; one that leads nowhere is no reason to make new keys.
func TestKeysOnAnotherDisk(t *testing.T) {
	dir, disk := t.TempDir(), t.TempDir()
	if err := os.Symlink(disk, filepath.Join(dir, keysDir)); err != nil {
		t.Fatal(err)
	}
	p, e := buildIn(t, dir)
	if err := p.keys.Create(t.Context(), bot.KeySlot{Name: "R.ballot", Key: []byte("key")}); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(disk, "R.ballot")); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(disk); err != nil {
		t.Fatal(err)
	}
	_, err := build(t.Context(), e, p.c, slog.New(slog.DiscardHandler), nil)
	var hint hinted
	if !errors.As(err, &hint) || !strings.Contains(hint.hint, "a folder that is not there") {
		t.Errorf("a link that leads nowhere: %v", err)
	}
}

// endsAfter is a context that ends when it has been asked a number of times whether it has ended.
type endsAfter struct {
	context.Context
	left   atomic.Int64
	cancel context.CancelFunc
}

func (c *endsAfter) Err() error {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// A demo that is stopped while it lays its past ends well, and the next one lays a whole past.
func TestInterruptedDemo(t *testing.T) {
	args := func(dir string) []string {
		return []string{"demo", "--addr", "127.0.0.1:0", "--data", dir}
	}
	given := func(dir string) int {
		raw, err := os.ReadFile(filepath.Join(dir, chatFile))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte("Ik ben Weerklank, een programma.")); n != 1 {
			t.Errorf("the announcement stands there %d times", n)
		}
		return bytes.Count(raw, []byte("Terugblik: "))
	}
	whole := t.TempDir()
	_, stop := startProgram(t, "Weerklank demo", args(whole)...)
	if code := stop(); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	dir := t.TempDir()
	for _, after := range []int64{20, 150} {
		ctx := &endsAfter{}
		ctx.Context, ctx.cancel = context.WithCancel(t.Context())
		ctx.left.Store(after)
		var stderr bytes.Buffer
		if code := run(ctx, args(dir), unset, strings.NewReader(""), io.Discard, &stderr); code != exitOK {
			t.Errorf("stopped: exit code %d: %s", code, stderr.String())
		}
		if mark, err := os.ReadFile(filepath.Join(dir, demoMark)); err != nil || string(mark) != demoLaying {
			t.Fatalf("it was not stopped while it laid its past: %q, %v", mark, err)
		}
	}
	if n := given(dir); n == 0 || n >= given(whole) {
		t.Fatalf("it was stopped after %d of %d rounds: the test does not look at the middle", n, given(whole))
	}
	_, stop = startProgram(t, "Weerklank demo", args(dir)...)
	if code := stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if got, want := given(dir), given(whole); got != want {
		t.Errorf("a past of %d rounds, want %d", got, want)
	}
	slots, err := os.ReadDir(filepath.Join(dir, keysDir))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadDir(filepath.Join(whole, keysDir))
	if err != nil || len(slots) != len(want) {
		t.Errorf("%d key slots, want %d (%v)", len(slots), len(want), err)
	}
}

// A demo takes no directory that a bot works on.
func TestDemoKeepsOffOthersData(t *testing.T) {
	dir := t.TempDir()
	p, _ := buildIn(t, dir)
	if err := p.db.UpdateTeam(t.Context(), "workspace:x", func(t *bot.Team) (bot.Also, error) { t.Name = "x"; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"demo", "--addr", "127.0.0.1:0", "--data", dir}, unset, strings.NewReader(""), io.Discard, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), "--data") {
		t.Errorf("%d %s", code, stderr.String())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	db, err := store.Open(root, "weerklank.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if teams, err := db.Teams(t.Context()); err != nil || len(teams) != 1 {
		t.Errorf("%v %v", teams, err)
	}
}
