package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"unicode"
)

func newLog(c config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// serverLog takes what the standard library's HTTP server says in lines of its own. What follows its first words may be a
// value: a panic's, a header's, an address. So only they are kept, at any level (TRUST A26, A27).
func serverLog(to *slog.Logger) *log.Logger { return log.New(&kindOnly{to}, "", 0) }

type kindOnly struct{ log *slog.Logger }

// Write logs the plain words that a line begins with, such as "http: panic serving" or "http: TLS handshake error from".
func (k *kindOnly) Write(line []byte) (int, error) {
	kind := "other"
	if rest, ok := bytes.CutPrefix(line, []byte("http: ")); ok {
		if end := bytes.IndexFunc(rest, func(r rune) bool { return r != ' ' && !unicode.IsLetter(r) }); end >= 0 {
			rest = rest[:end]
		}
		words := strings.Fields(string(rest))
		kind = strings.Join(words[:min(len(words), 4)], " ")
	}
	k.log.Warn("http server", "kind", kind)
	return len(line), nil
}

// errTells says that the environment asks a library to print what passes through it.
var errTells = errors.New("GODEBUG asks for http2debug, which prints tokens and replies")

// harden makes sure that nothing of what passes through the process gets out of it: no memory dumps, and no debug mode
// that the standard library reads before main does, so that nothing could switch it off (TRUST A27, A28).
func harden(e *env) error {
	if v, _ := e.lookup("GODEBUG"); strings.Contains(v, "http2debug") {
		return hinted{errTells, e.say("cli.hint-godebug")}
	}
	if err := hardenProcess(); err != nil {
		return fmt.Errorf("forbid memory dumps: %w", err)
	}
	return nil
}
