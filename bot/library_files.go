package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// FileState is the directory of files as it was read.
type FileState struct {
	At      time.Time
	Hash    string                                      // of everything that was read
	Library prompts.Library                             // of all files together; the prompts alone refer to what is in force
	Where   func(key EntryKey, field string) string     // "file:line" of an entry's field
	Wrong   []string                                    // why it could not be read: "file:line: what is wrong and what to do"
	Say     func(problem prompts.Problem) (line string) // nil: in English
}

// TakeFiles puts the newest state of the directory of files in force, or refuses it as a whole: then the last good one
// stays, also over a restart, and Catalogue.Files says why. It returns *FilesRefused in that case.
func (b *Bot) TakeFiles(ctx context.Context, s FileState) error {
	if len(s.Wrong) > 0 {
		return b.refuseFiles(s, "", s.Wrong)
	}
	if known := b.trouble.Load(); known != nil && known.hash == s.Hash && known.stamp != "" { // judging takes long, and nobody may edit meanwhile
		if stamp, err := b.o.Store.LibraryStamp(ctx); err == nil && stamp == known.stamp {
			return &FilesRefused{known.Problems}
		}
	}
	stamp := ""
	err := b.editLibrary(ctx, func(l *layers) (Also, error) {
		stamp = l.own.Stamp
		hash := s.Hash + "-" + b.shelves.release() // what another release brings may not go with the files
		if l.own.Files.Hash == hash && s.Hash != "" && !l.lost {
			return Also{}, errSame
		}
		if wrong := l.wrongFiles(s); len(wrong) > 0 {
			return Also{}, &FilesRefused{wrong}
		}
		text, err := encoded(s.Library)
		if err != nil {
			return Also{}, err
		}
		if _, err := prompts.Decode(strings.NewReader(text)); err != nil { // as one file it may be larger than a file may be
			problem := prompts.Problem{Text: err.Error()}
			if e, ok := errors.AsType[prompts.SyntaxError](err); ok {
				problem.Text, problem.Dutch = e.In(prompts.English), e.In(prompts.Dutch)
			}
			return Also{}, &FilesRefused{[]string{"library.dir: " + s.say(problem)}}
		}
		l.own.Files = LastGood{At: s.At.UTC(), Hash: hash, TOML: text}
		for key := range shelfOf(s.Library).at {
			if _, known := l.own.Used[key]; !known {
				l.own.Used[key] = OriginFiles
			}
		}
		return Also{Audit: []AuditEntry{{At: s.At.UTC(), What: "library", How: "files"}}}, nil
	})
	if refused, ok := errors.AsType[*FilesRefused](err); ok {
		return b.refuseFiles(s, stamp, refused.Problems)
	}
	if err == nil || errors.Is(err, errSame) {
		b.trouble.Store(nil)
		return nil
	}
	return err
}

// say is a problem in the language of who reads of it.
func (s FileState) say(p prompts.Problem) string {
	if s.Say != nil {
		return s.Say(p)
	}
	return p.Text
}

// FilesRefused says why the newest state of the directory of files is not in force.
type FilesRefused struct{ Problems []string }

// Error says how many problems there are; what they are may hold words of the library.
func (r *FilesRefused) Error() string {
	return fmt.Sprintf("the directory of files is refused: %d problems", len(r.Problems))
}

// refuseFiles remembers why a state is refused. stamp is of the library it was judged for; empty: it was not judged.
func (b *Bot) refuseFiles(s FileState, stamp string, problems []string) error {
	b.trouble.Store(&FileTrouble{At: s.At, Problems: problems, hash: s.Hash, stamp: stamp})
	return &FilesRefused{problems}
}

// ForgetFiles takes the entries of the directory out of force, for a program that has none configured any more. It says
// whether there were any.
func (b *Bot) ForgetFiles(ctx context.Context) (bool, error) {
	own, err := b.o.Store.Own(ctx)
	if err != nil || own.Files == (LastGood{}) {
		return false, err
	}
	err = b.editLibrary(ctx, func(l *layers) (Also, error) {
		l.own.Files = LastGood{}
		return Also{Audit: []AuditEntry{{At: time.Now().UTC(), What: "library", How: "files off"}}}, nil
	})
	if err == nil {
		b.trouble.Store(nil)
	}
	return true, err
}

// wrongFiles says what keeps a state of the directory from being in force, in the order of its entries.
func (l *layers) wrongFiles(s FileState) []string {
	var out []string
	say := func(p prompts.Problem) {
		where := "library.dir"
		if s.Where != nil {
			where = s.Where(EntryKey{EntryKind(p.Table), p.ID}, p.Field)
		}
		out = append(out, fmt.Sprintf("%s: %s %s: %s: %s", where, p.Table, p.ID, p.Field, s.say(p)))
	}
	next := shelfOf(s.Library)
	seen := map[EntryKey]bool{}
	for _, key := range l.keys(s.Library) {
		if seen[key] {
			say(prompts.NewProblem(string(key.Kind), key.ID, "id", "is used twice; an id is never used again"))
		}
		seen[key] = true
		_, before := l.files.at[key]
		_, builtin := l.builtin.at[key]
		switch _, mine := l.mine(key); {
		case mine:
			say(prompts.NewProblem(string(key.Kind), key.ID, "id", "is an entry that editors made here; choose another id, or retire this one in the file"))
		case l.own.Used[key] == OriginBuiltin && !builtin && !before, l.own.Used[key] == OriginOwn:
			say(prompts.NewProblem(string(key.Kind), key.ID, "id", "was used before, and an id is never used again; choose another"))
		}
	}
	without := problemsOf(l.library(true))
	l2 := &layers{builtin: l.builtin, files: next, own: l.own}
	whole := l2.library(true)
	for _, p := range problemsOf(whole) {
		_, theirs := next.at[EntryKey{EntryKind(p.Table), p.ID}]
		if theirs || !slices.Contains(without, p) { // what the files have, and what they break elsewhere
			say(p)
		}
	}
	for _, f := range prompts.Lint(judged(whole, slices.Collect(maps.Keys(next.at))...)) {
		key, table := EntryKey{EntryPrompt, string(f.Prompt)}, string(EntryPrompt)
		if f.Tension != "" {
			key, table = EntryKey{EntryTension, string(f.Tension)}, string(EntryTension)
		}
		c, theirs := next.at[key]
		if f.Level != prompts.Error || !theirs || c.Prompt != nil && c.Prompt.Status == prompts.Draft {
			continue
		}
		field := f.Field
		if f.Lang != "" {
			field = string(f.Lang) + "." + field
		}
		say(prompts.Problem{Table: table, ID: key.ID, Field: field, Text: f.Text[prompts.English], Dutch: f.Text[prompts.Dutch]})
	}
	return out
}

// CheckFiles says what keeps a directory of files from being in force over a built-in library, as far as can be said
// without a store: what editors made is not looked at.
func CheckFiles(builtin prompts.Library, s FileState) []string {
	if len(s.Wrong) > 0 {
		return s.Wrong
	}
	l := &layers{builtin: shelfOf(builtin), files: shelfOf(prompts.Library{}), own: Own{}}
	return l.wrongFiles(s)
}
