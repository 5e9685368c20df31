package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// aFile is a library file with these prompts of the built-in library under other IDs.
func aFile(t testing.TB, ids ...string) string {
	t.Helper()
	lib, err := prompts.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var own prompts.Library
	for _, id := range ids {
		p := lib.Prompts[0]
		p.ID, p.Family, p.Reviewer = prompts.ID(id), id, "Lezer"
		own.Prompts = append(own.Prompts, p)
	}
	var out bytes.Buffer
	if err := prompts.Encode(&out, own); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What may stand in the directory is read; what is wrong is told with file and line in the reader's language; nothing
// outside is opened, and nothing is waited for.
func TestLibraryDirectory(t *testing.T) {
	outside := t.TempDir()
	write(t, outside, "geheim.toml", aFile(t, "geheim"))
	for name, c := range map[string]struct {
		lay   func(dir string)
		nl    string // of the problem; empty: none
		en    string
		count int // prompts
	}{
		"files in folders": {func(dir string) {
			write(t, dir, "a.toml", "\ufeff"+aFile(t, "een", "twee"))
			write(t, dir, "team/b.toml", aFile(t, "drie"))
			write(t, dir, ".git/config.toml", "[core")
			write(t, dir, ".half.toml", "[[prompt")
			write(t, dir, "README.md", "# Niet voor het programma")
		}, "", "", 3},
		"a link inside": {func(dir string) {
			write(t, dir, "lijst/a.txt", aFile(t, "een"))
			if err := os.Symlink("lijst/a.txt", filepath.Join(dir, "a.toml")); err != nil {
				t.Fatal(err)
			}
		}, "", "", 1},
		"a link outside": {func(dir string) {
			if err := os.Symlink(filepath.Join(outside, "geheim.toml"), filepath.Join(dir, "a.toml")); err != nil {
				t.Fatal(err)
			}
		}, "a.toml:1: deze link wijst buiten de map", "a.toml:1: this link leads out of the folder", 0},
		"a folder outside": {func(dir string) {
			write(t, dir, "a.toml", aFile(t, "een"))
			if err := os.Symlink(outside, filepath.Join(dir, "map")); err != nil {
				t.Fatal(err)
			}
		}, "", "", 1},
		"a folder named so": {func(dir string) { write(t, dir, "a.toml/b.toml", aFile(t, "een")) }, "", "", 1},
		"nothing":           {func(string) {}, "library.dir: er staat geen *.toml in", "library.dir: there is no *.toml in", 0},
		"broken": {func(dir string) { write(t, dir, "a.toml", "schema = 1\n[[prompt]]\nid = \"x\n") },
			"a.toml:3: ", "a.toml:3: ", 0},
		"an unknown key": {func(dir string) { write(t, dir, "a.toml", "schema = 1\n[[prompt]]\nid = \"x\"\ntitel = \"y\"\n") },
			"a.toml:4: prompt.titel is geen bekende naam", "a.toml:4: unknown key prompt.titel", 0},
		"a conflict": {func(dir string) { write(t, dir, "a.toml", "<<<<<<< HEAD\n"+aFile(t, "een")) }, "a.toml:1: ", "a.toml:1: ", 0},
		"one id in two files": {func(dir string) {
			write(t, dir, "a.toml", aFile(t, "een"))
			write(t, dir, "b.toml", aFile(t, "twee", "een"))
		}, "prompt een: staat ook in a.toml:", "prompt een: stands in a.toml:", 2},
		"enormous": {func(dir string) { write(t, dir, "a.toml", strings.Repeat("#", prompts.MaxFile+1)) },
			"a.toml:1: de bestanden zijn samen groter dan 8 MiB", "a.toml:1: the files are larger than 8 MiB", 0},
		"a rule is broken": {func(dir string) {
			write(t, dir, "a.toml", strings.Replace(aFile(t, "een"), "phase = 'open'", "phase = 'later'", 1))
		}, "a.toml:", "a.toml:", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.lay(dir)
			builtin, err := prompts.Builtin()
			if err != nil {
				t.Fatal(err)
			}
			for lang, want := range map[prompts.Lang]string{prompts.Dutch: c.nl, prompts.English: c.en} {
				s := libraryDir{&env{lang: lang}, dir}.read()
				if s.busy || len(s.Library.Prompts) != c.count || s.Hash == "" {
					t.Errorf("%d prompts, busy %v", len(s.Library.Prompts), s.busy)
				}
				wrong := bot.CheckFiles(builtin, s.FileState)
				switch {
				case want == "" && len(wrong) > 0:
					t.Errorf("%q", wrong)
				case want != "" && (len(wrong) == 0 || !strings.Contains(wrong[0], want)):
					t.Errorf("%q, want %q", wrong, want)
				}
				if strings.Contains(strings.Join(wrong, "\n"), "geheim") {
					t.Error("read what lies outside")
				}
			}
		})
	}
	if s := (libraryDir{&env{lang: prompts.Dutch}, filepath.Join(outside, "nergens")}).read(); len(s.Wrong) != 1 || s.Hash == "" {
		t.Errorf("no folder: %q", s.Wrong)
	}
}

// A change is taken once it is still and git has ended; one that is wrong leaves the last good state, says where it is
// wrong without its words, and is taken as soon as it is right.
func TestLibraryDirectoryIsFollowed(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	root, err := os.OpenRoot(data)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	db, err := store.Open(root, "weerklank.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b, err := librarian(db)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	w := &libraryWatch{read: libraryDir{&env{lang: prompts.Dutch}, dir}.read, take: b.TakeFiles, log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Now()
	look := func(times int) {
		for range times {
			now = now.Add(w.step(t.Context(), now))
		}
	}
	ids := func() (out []string) {
		t.Helper()
		c, err := b.Catalogue(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Entries {
			if e.Origin == bot.OriginFiles {
				out = append(out, e.Key.ID)
			}
		}
		if c.Files != nil {
			out = append(out, "refused")
		}
		return out
	}
	want := func(list ...string) {
		t.Helper()
		if got := ids(); !slices.Equal(got, list) {
			t.Errorf("in force %q, want %q\n%s", got, list, &log)
		}
	}
	write(t, dir, "a.toml", aFile(t, "een"))
	look(1)
	want()
	look(1)
	want("een")
	write(t, dir, "b.toml", aFile(t, "twee")) // a checkout, one file at a time
	look(1)
	write(t, dir, "c.toml", aFile(t, "drie"))
	look(1)
	want("een")
	look(1)
	want("drie", "een", "twee")
	write(t, dir, ".git/index.lock", "")
	write(t, dir, "c.toml", "halver")
	look(5)
	want("drie", "een", "twee")
	if err := os.Remove(filepath.Join(dir, ".git", "index.lock")); err != nil {
		t.Fatal(err)
	}
	look(3)
	want("drie", "een", "twee", "refused")
	if !strings.Contains(log.String(), "c.toml:1") || strings.Contains(log.String(), "halver") {
		t.Errorf("log: %s", &log)
	}
	before := strings.Count(log.String(), "refused")
	look(5)
	if strings.Count(log.String(), "refused") != before {
		t.Error("the same trouble was logged again")
	}
	b, err = librarian(db) // a restart, with the trouble still there
	if err != nil {
		t.Fatal(err)
	}
	w = &libraryWatch{read: w.read, take: b.TakeFiles, log: w.log}
	want("drie", "een", "twee")
	look(2)
	want("drie", "een", "twee", "refused")
	write(t, dir, "c.toml", aFile(t, "vier"))
	look(3)
	want("een", "twee", "vier")
	// A word that only an editor's act makes right.
	_, err = b.SaveEntry(t.Context(), "test:e", bot.Change{Entry: bot.Entry{Audience: &prompts.Audience{ID: "bakkers", Name: prompts.Text{prompts.Dutch: "bakkers", prompts.English: "bakers"}}}})
	if err != nil {
		t.Fatal(err)
	}
	lib, _ := prompts.Builtin()
	write(t, dir, "c.toml", strings.Replace(aFile(t, "vijf"), "audience = ['"+string(lib.Prompts[0].Audience[0])+"'", "audience = ['bakkers'", 1))
	look(3)
	want("een", "twee", "vijf")
}

// A directory below a checkout's top, or in a worktree of one, waits for git as well.
func TestLibraryDirectoryWaitsForGit(t *testing.T) {
	top := t.TempDir()
	write(t, top, "main/vragen/nl/a.toml", aFile(t, "een"))
	write(t, top, "main/.git/HEAD", "")
	write(t, top, "tree/vragen/a.toml", aFile(t, "een"))
	write(t, top, "tree/.git", "gitdir: ../main/.git/worktrees/tree\n")
	write(t, top, "main/.git/worktrees/tree/HEAD", "")
	for dir, lock := range map[string]string{"main/vragen/nl": "main/.git/index.lock", "tree/vragen": "main/.git/worktrees/tree/index.lock"} {
		read := libraryDir{&env{lang: prompts.Dutch}, filepath.Join(top, dir)}.read
		if s := read(); s.busy || len(s.Library.Prompts) == 0 {
			t.Errorf("%s: %v %q", dir, s.busy, s.Wrong)
		}
		write(t, top, lock, "")
		if s := read(); !s.busy {
			t.Errorf("%s: read while git was at work", dir)
		}
		if err := os.Remove(filepath.Join(top, lock)); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzLibraryDirectory(f *testing.F) {
	one := aFile(f, "een")
	f.Add([]byte(one), []byte("schema = 1\n[[prompt]]\nid = \"een\"\n"))
	f.Add([]byte("schema = 1\n[[value]]\nid = \"a\"\n"), []byte("[[prompt"))
	dir := f.TempDir()
	builtin, err := prompts.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		write(t, dir, "a.toml", string(a))
		write(t, dir, "b.toml", string(b))
		s := libraryDir{&env{lang: prompts.Dutch}, dir}.read()
		for _, line := range bot.CheckFiles(builtin, s.FileState) {
			if where := placeOf(line); where != "library.dir" && !strings.HasPrefix(where, "a.toml:") && !strings.HasPrefix(where, "b.toml:") {
				t.Errorf("stands nowhere: %q", line)
			}
		}
	})
}
