package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

// What a directory of the library may hold. A whole installation's prompts are far below it.
const (
	maxLibraryFiles = 500
	maxLibraryDepth = 8
)

// How often the directory is looked at, and how long it must be as it is before it is taken: a checkout writes one file
// after the other.
const (
	libraryEvery = 10 * time.Second
	libraryStill = 2 * time.Second
)

// libraryFiles is a directory of the library as it was read.
type libraryFiles struct {
	bot.FileState
	busy bool // git is at work in it
}

// libraryDir reads the directory of the library's files: every *.toml in it and below, except in what is hidden.
type libraryDir struct {
	e    *env
	path string
}

// libraryPath is where the directory of files is, beside the configuration; empty: there is none.
func (c config) libraryPath() string { return c.libraryAt }

// read reads the directory. What is wrong with it stands in the result; of what lies outside it, only
// whether git is at work is looked at.
func (d libraryDir) read() libraryFiles {
	out := libraryFiles{FileState: bot.FileState{At: time.Now()}}
	wrong := func(where, text string) { out.Wrong = append(out.Wrong, where+": "+text) }
	root, err := os.OpenRoot(d.path)
	if err != nil {
		wrong("library.dir", d.e.say("cli.library-no-dir", "dir", d.path))
		out.Hash = hashOfFiles(out.Wrong, nil)
		return out
	}
	defer root.Close()
	if out.busy = gitAtWork(d.path); out.busy {
		return out
	}
	names, err := d.names(root, wrong)
	if err != nil {
		wrong("library.dir", d.e.say("cli.library-no-dir", "dir", d.path))
	}
	read := libraryReader{places: map[bot.EntryKey]placed{}}
	contents := map[string][]byte{}
	size := 0
	for _, name := range names {
		raw, err := d.file(root, name)
		if err != nil {
			wrong(name+":1", err.Error())
			continue
		}
		if size += len(raw); size > prompts.MaxFile {
			wrong(name+":1", d.e.say("cli.library-large", "limit", strconv.Itoa(prompts.MaxFile>>20)))
			break
		}
		contents[name] = raw
		d.add(&read, &out, name, raw)
	}
	if len(names) == 0 && len(out.Wrong) == 0 {
		wrong("library.dir", d.e.say("cli.library-empty", "dir", d.path))
	}
	out.Hash = hashOfFiles(out.Wrong, contents)
	out.Library, out.Where = read.lib, read.where
	out.Say = func(p prompts.Problem) string { return p.In(d.e.lang) }
	out.busy = gitAtWork(d.path) // it may have begun meanwhile
	return out
}

// gitAtWork says whether git is changing the checkout that a directory is in, or is a part of.
func gitAtWork(dir string) bool {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for {
		at := filepath.Join(dir, ".git")
		if info, err := os.Stat(at); err == nil {
			if info.Mode().IsRegular() { // a worktree or a submodule: the file says where git keeps it
				raw, err := os.ReadFile(at)
				to, ok := strings.CutPrefix(string(raw), "gitdir:")
				if err != nil || !ok {
					return false
				}
				if at = strings.TrimSpace(to); !filepath.IsAbs(at) {
					at = filepath.Join(dir, at)
				}
			}
			_, err := os.Stat(filepath.Join(at, "index.lock"))
			return err == nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false
		}
		dir = up
	}
}

// names lists the files in a fixed order.
func (d libraryDir) names(root *os.Root, wrong func(where, text string)) (names []string, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch base := path.Base(name); {
		case strings.HasPrefix(base, ".") && name != ".":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() && strings.Count(name, "/") >= maxLibraryDepth:
			wrong(name+":1", d.e.say("cli.library-deep", "limit", strconv.Itoa(maxLibraryDepth)))
			return fs.SkipDir
		case entry.IsDir() || !strings.EqualFold(path.Ext(base), ".toml"):
			return nil
		}
		if names = append(names, name); len(names) > maxLibraryFiles {
			wrong("library.dir", d.e.say("cli.library-many", "limit", strconv.Itoa(maxLibraryFiles)))
			return fs.SkipAll
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

// file reads one file. A link may lead to another place in the directory, and nowhere else.
func (d libraryDir) file(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, errors.New(d.e.say("cli.library-link"))
	case !info.Mode().IsRegular(): // opening a pipe would wait for ever
		return nil, errors.New(d.e.say("cli.library-no-file"))
	case info.Size() > prompts.MaxFile:
		return nil, errors.New(d.e.say("cli.library-large", "limit", strconv.Itoa(prompts.MaxFile>>20)))
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, errors.New(d.e.say("cli.library-unreadable"))
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, prompts.MaxFile+1))
	if err != nil {
		return nil, errors.New(d.e.say("cli.library-unreadable"))
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), nil
}

// placed is where an entry stands.
type placed struct {
	file   string
	places prompts.Places
}

// libraryReader puts files together to one library.
type libraryReader struct {
	lib    prompts.Library
	places map[bot.EntryKey]placed
}

func (r *libraryReader) where(key bot.EntryKey, field string) string {
	at, ok := r.places[key]
	if !ok {
		return "library.dir"
	}
	row := 1
	if place, ok := at.places.Of(string(key.Kind), key.ID, field); ok {
		row = place.Row
	}
	return at.file + ":" + strconv.Itoa(row)
}

// add reads one file into the library.
func (d libraryDir) add(r *libraryReader, out *libraryFiles, name string, raw []byte) {
	lib, places, err := prompts.Read(bytes.NewReader(raw))
	if err != nil {
		out.Wrong = append(out.Wrong, explainAt(name, err, d.e.lang)...)
		return
	}
	keep := func(kind bot.EntryKind, id string) bool {
		key := bot.EntryKey{Kind: kind, ID: id}
		if before, twice := r.places[key]; twice && before.file != name {
			here := placed{name, places}
			at := (&libraryReader{places: map[bot.EntryKey]placed{key: here}}).where(key, "id")
			out.Wrong = append(out.Wrong, fmt.Sprintf("%s: %s %s: %s", at, kind, id, d.e.say("cli.library-twice", "where", r.where(key, "id"))))
			return false
		}
		r.places[key] = placed{name, places}
		return true
	}
	for _, t := range lib.Tensions {
		if keep(bot.EntryTension, string(t.ID)) {
			r.lib.Tensions = append(r.lib.Tensions, t)
		}
	}
	for _, v := range lib.Values {
		if keep(bot.EntryValue, string(v.ID)) {
			r.lib.Values = append(r.lib.Values, v)
		}
	}
	for _, a := range lib.Audiences {
		if keep(bot.EntryAudience, string(a.ID)) {
			r.lib.Audiences = append(r.lib.Audiences, a)
		}
	}
	for _, p := range lib.Prompts {
		if keep(bot.EntryPrompt, string(p.ID)) {
			r.lib.Prompts = append(r.lib.Prompts, p)
		}
	}
}

// explainAt says what is wrong with a file, each problem with its line.
func explainAt(name string, err error, lang prompts.Lang) (out []string) {
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				walk(one)
			}
			return
		}
		if e, ok := err.(prompts.SyntaxError); ok {
			out = append(out, fmt.Sprintf("%s:%d: %s", name, e.Row, e.In(lang)))
			return
		}
		if inner := errors.Unwrap(err); inner != nil {
			walk(inner)
			return
		}
		out = append(out, name+":1: "+err.Error())
	}
	walk(err)
	return out
}

// hashOfFiles is what tells one state of a directory from another.
func hashOfFiles(wrong []string, contents map[string][]byte) string {
	sum := sha256.New()
	for _, line := range wrong {
		fmt.Fprintf(sum, "%q\n", line)
	}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range contents {
			if !yield(name) {
				return
			}
		}
	}) {
		fmt.Fprintf(sum, "%q %d\n", name, len(contents[name]))
		sum.Write(contents[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// libraryWatch takes what changes in the directory once it is still.
type libraryWatch struct {
	read func() libraryFiles
	take func(context.Context, bot.FileState) error
	log  *slog.Logger

	seen  string    // the state that is being waited for
	since time.Time // since when it is as it is
	told  string    // the state that was taken or refused last
	wrong bool      // it was refused: what editors do may have made it good
}

// step looks once, and says when to look again.
func (w *libraryWatch) step(ctx context.Context, now time.Time) (again time.Duration) {
	s := w.read()
	switch {
	case s.busy:
		w.seen = ""
		return libraryStill
	case s.Hash != w.seen:
		w.seen, w.since = s.Hash, now
		if s.Hash == w.told && !w.wrong {
			return libraryEvery
		}
		return libraryStill
	case s.Hash == w.told && !w.wrong:
		return libraryEvery
	case now.Sub(w.since) < libraryStill:
		return libraryStill
	}
	err := w.take(ctx, s.FileState)
	refused, isRefused := errors.AsType[*bot.FilesRefused](err)
	switch {
	case ctx.Err() != nil:
	case isRefused:
		if w.told != s.Hash { // its words may be of the library; where they stand is enough to find them
			w.log.Warn("the library's directory of files is refused; the last good state stays in force", "problems", len(refused.Problems),
				"first", placeOf(refused.Problems[0]), "next", "weerklank doctor --config FILE says what is wrong and what to do")
		}
		w.told, w.wrong = s.Hash, true
	case err != nil:
		w.log.Error("the library's directory of files", "err", err)
	default:
		if w.told != s.Hash || w.wrong {
			w.log.Info("the library's directory of files is in force", "prompts", len(s.Library.Prompts), "tensions", len(s.Library.Tensions))
		}
		w.told, w.wrong = s.Hash, false
	}
	return libraryEvery
}

// placeOf is the "file:line" that a problem begins with.
func placeOf(problem string) string {
	where, _, _ := strings.Cut(problem, ": ")
	return where
}

// run looks until ctx ends.
func (w *libraryWatch) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(w.step(ctx, time.Now()))
	}
}

// watchLibrary keeps the library in step with its directory of files, or without one if none is configured any more.
func (p *parts) watchLibrary(ctx context.Context, e *env) {
	if p.c.libraryPath() == "" {
		switch some, err := p.bot.ForgetFiles(ctx); {
		case err != nil && ctx.Err() == nil:
			p.log.Error("the library's directory of files", "err", err)
		case some:
			p.log.Warn("no directory of files is configured any more; what came from it is out of force", "next", "set [library] dir to have it back")
		}
		return
	}
	w := &libraryWatch{read: libraryDir{e, p.c.libraryPath()}.read, take: p.bot.TakeFiles, log: p.log}
	w.run(ctx)
}

// libraryTrouble says what is wrong with the configured directory of files; nothing if none is.
func (c config) libraryTrouble(e *env) []string {
	if c.libraryPath() == "" {
		return nil
	}
	builtin, err := prompts.Builtin()
	if err != nil {
		return []string{err.Error()}
	}
	s := libraryDir{e, c.libraryPath()}.read()
	if s.busy {
		return []string{"library.dir: " + e.say("cli.library-busy")}
	}
	return bot.CheckFiles(builtin, s.FileState)
}
