// Command weerklank runs the bot, shows it in a demo, and is the admin's tool.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // zones do not depend on the machine

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	os.Exit(withSignals(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr))
}

// withSignals ends the work at the first signal; a second one kills.
func withSignals(args []string, lookup func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, args, lookup, stdin, stdout, stderr)
}

// env is what every command gets.
type env struct {
	lookup         func(string) (string, bool) // a variable that is set may be empty
	stdin          io.Reader
	stdout, stderr io.Writer
	lang           prompts.Lang
}

func (e *env) say(key string, pairs ...string) string { return locale.Say(e.lang, key, pairs...) }

// usageError is a mistake in how the program was called.
type usageError struct{ text string }

func (u usageError) Error() string { return u.text }

// hinted is an error with the next step, in the user's language.
type hinted struct {
	err  error
	hint string
}

func (h hinted) Error() string { return h.err.Error() }
func (h hinted) Unwrap() error { return h.err }

type command struct {
	name string
	run  func(context.Context, *env, []string) error
}

func commands() []command {
	return []command{
		{"run", cmdRun}, {"demo", cmdDemo}, {"prompts", cmdPrompts}, {"tensions", cmdTensions}, {"config", cmdConfig}, {"doctor", cmdDoctor}, {"verify", cmdVerify}, {"backup", cmdBackup},
		{"restore", cmdRestore}, {"compact", cmdCompact}, {"status", cmdStatus}, {"hold", cmdHold}, {"export", cmdExport}, {"slack", cmdSlack}, {"version", cmdVersion},
	}
}

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	e := &env{lookup: lookup, stdin: stdin, stdout: stdout, stderr: stderr, lang: prompts.English}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, _ := lookup(name); v != "" {
			if strings.HasPrefix(v, "nl") {
				e.lang = prompts.Dutch
			}
			break
		}
	}
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		fmt.Fprintln(stdout, e.say("cli.usage"))
		if len(args) == 0 {
			return exitUsage
		}
		return exitOK
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintln(stderr, "weerklank: "+e.say("cli.unknown-command", "name", args[0]))
		if near := nearest(args[0], all); near != "" {
			fmt.Fprintln(stderr, e.say("cli.did-you-mean", "name", near))
		}
		fmt.Fprintln(stderr, e.say("cli.see-help"))
		return exitUsage
	}
	err := harden(e) // before anything secret is read: the config holds tokens, the store sealed replies
	if err == nil {
		err = all[i].run(ctx, e, args[1:])
	}
	var usage usageError
	var hint hinted
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintln(stderr, "weerklank "+args[0]+": "+usage.text)
		fmt.Fprintln(stderr, e.say("cli.see-help"))
		return exitUsage
	}
	fmt.Fprintf(stderr, "weerklank %s: %v\n", args[0], err)
	if errors.As(err, &hint) {
		fmt.Fprintln(stderr, hint.hint)
	}
	return exitFailure
}

// nearest is the command whose name differs least, if it is close.
func nearest(name string, all []command) string {
	best, least := "", 3
	for _, c := range all {
		if d := distance(name, c.name); d < least {
			best, least = c.name, d
		}
	}
	return best
}

// distance is the number of letters to change, add or drop.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, cost)
		}
	}
	return row[len(b)]
}

// flags parses a command's flags, which may stand before and behind its words; help goes to standard output, mistakes
// become usage errors.
func flags(e *env, name string, args []string, define func(*flag.FlagSet)) ([]string, error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	var said strings.Builder
	fs.SetOutput(&said)
	define(fs)
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprintln(e.stdout, e.say("cli.usage-"+name))
				return nil, err
			}
			return nil, usageError{err.Error()}
		}
		rest := fs.Args()
		if len(rest) == 0 || len(rest) < len(args) && args[len(args)-len(rest)-1] == "--" { // behind it only words come
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}
