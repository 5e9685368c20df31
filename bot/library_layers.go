package bot

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// The library has three layers: what comes with the program, the directory of files, and what the organisation made. An
// entry of a later layer stands in the place of an earlier one.

// layers are the three together, at one moment. own is the caller's to change; the others are shared and stay.
type layers struct {
	builtin, files shelf
	own            Own
	lost           bool   // the kept copy of the files cannot be read; files is empty until they are taken again
	tell           []Post // what the edit that is made tells people
}

// shelf is one layer: its library, and its entries by key.
type shelf struct {
	lib prompts.Library
	at  map[EntryKey]Content
}

func shelfOf(lib prompts.Library) shelf {
	s := shelf{lib, map[EntryKey]Content{}}
	for _, t := range lib.Tensions {
		s.at[EntryKey{EntryTension, string(t.ID)}] = Content{Tension: &t}
	}
	for _, v := range lib.Values {
		s.at[EntryKey{EntryValue, string(v.ID)}] = Content{Value: &v}
	}
	for _, a := range lib.Audiences {
		s.at[EntryKey{EntryAudience, string(a.ID)}] = Content{Audience: &a}
	}
	for _, p := range lib.Prompts {
		s.at[EntryKey{EntryPrompt, string(p.ID)}] = Content{Prompt: &p}
	}
	return s
}

// shelves keeps the layers that seldom change at hand.
type shelves struct {
	once    sync.Once
	builtin shelf
	release func() string // what tells what is built in from that of another release

	mu    sync.Mutex
	hash  string // of what files was made from, and when that was taken
	at    time.Time
	files shelf
	lost  bool // what was kept cannot be read
}

func (b *Bot) layers(ctx context.Context) (*layers, error) {
	own, err := b.o.Store.Own(ctx)
	if err != nil {
		return nil, err
	}
	return b.layersOf(own)
}

func (b *Bot) layersOf(own Own) (*layers, error) {
	s := &b.shelves
	s.once.Do(func() {
		s.builtin, s.release = shelfOf(b.o.Library), sync.OnceValue(func() string { return releaseOf(b.o.Library) })
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files.at == nil || s.hash != own.Files.Hash || !s.at.Equal(own.Files.At) {
		var lib prompts.Library
		var err error
		if own.Files.TOML != "" {
			lib, err = prompts.Decode(strings.NewReader(own.Files.TOML))
		}
		if err != nil { // another version of the program kept it: everything else goes on, and the directory is taken anew
			lib = prompts.Library{}
			b.trouble.Store(&FileTrouble{At: own.Files.At, Problems: []string{"library.dir: " + err.Error()}})
			b.o.Log.Error("the library's directory of files, as it was kept, cannot be read; what came from it is out of force until it is read again",
				"next", "set [library] dir to a directory of files that weerklank doctor finds right, or take the setting out")
		}
		s.hash, s.at, s.files, s.lost = own.Files.Hash, own.Files.At, shelfOf(lib), err != nil
	}
	return &layers{builtin: s.builtin, files: s.files, own: own, lost: s.lost}, nil
}

func releaseOf(builtin prompts.Library) string {
	raw, err := json.Marshal(builtin)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:6])
}

// fields are what an entry says, one by one.
func (c Content) fields() []prompts.Field {
	switch {
	case c.Prompt != nil:
		return c.Prompt.Fields()
	case c.Tension != nil:
		return c.Tension.Fields()
	case c.Value != nil:
		return c.Value.Fields()
	case c.Audience != nil:
		return c.Audience.Fields()
	}
	return nil
}

// tidy is the content without what no reader sees, and without anything shared.
func (c Content) tidy() Content {
	switch {
	case c.Prompt != nil:
		return Content{Prompt: new(c.Prompt.Tidy())}
	case c.Tension != nil:
		return Content{Tension: new(c.Tension.Tidy())}
	case c.Value != nil:
		return Content{Value: new(c.Value.Tidy())}
	case c.Audience != nil:
		return Content{Audience: new(c.Audience.Tidy())}
	}
	return c
}

func (c Content) key() (EntryKey, bool) {
	switch {
	case c.Prompt != nil:
		return EntryKey{EntryPrompt, string(c.Prompt.ID)}, true
	case c.Tension != nil:
		return EntryKey{EntryTension, string(c.Tension.ID)}, true
	case c.Value != nil:
		return EntryKey{EntryValue, string(c.Value.ID)}, true
	case c.Audience != nil:
		return EntryKey{EntryAudience, string(c.Audience.ID)}, true
	}
	return EntryKey{}, false
}

// retired says whether the entry is not offered any more.
func (c Content) retired() bool {
	return c.Prompt != nil && c.Prompt.Status == prompts.Retired || c.Tension != nil && c.Tension.Retired ||
		c.Value != nil && c.Value.Retired || c.Audience != nil && c.Audience.Retired
}

// changedFields names the fields in which two contents differ, leaving some out.
func changedFields(a, b Content, but ...string) []string {
	var out []string
	for _, f := range diff(a, b) {
		if !slices.Contains(but, f.Field) {
			out = append(out, f.Field)
		}
	}
	return out
}

func diff(a, b Content) []FieldChange {
	before := map[string]string{}
	for _, f := range a.fields() {
		before[f.Name] = f.Value
	}
	now := b.fields()
	var out []FieldChange
	for _, f := range now {
		if before[f.Name] != f.Value {
			out = append(out, FieldChange{f.Name, before[f.Name], f.Value})
		}
	}
	if len(now) == 0 {
		for _, f := range a.fields() {
			if f.Value != "" {
				out = append(out, FieldChange{f.Name, f.Value, ""})
			}
		}
	}
	return out
}

// Whose hands the fields are in that no editor writes.
var (
	counted  = []string{"revision", "reviewer"}           // the program's own
	standing = []string{"revision", "status", "reviewer"} // where a prompt stands
	unseen   = []string{"themes", "author", "licence", "cooldown_weeks", "season", "avoid"}
)

// dormant says whether an own entry is as the built-in one it was made from: then whatever a release brings is in force.
func (e OwnEntry) dormant() bool {
	return e.Base != nil && e.InForce == nil && len(changedFields(*e.Base, e.Now, counted...)) == 0
}

// mine is what the organisation made of an entry, if it made something of it.
func (l *layers) mine(key EntryKey) (OwnEntry, bool) {
	e, ok := l.own.Entries[key]
	return e, ok && !e.dormant()
}

// under is the entry below the organisation's own layer.
func (l *layers) under(key EntryKey) (Content, Origin) {
	if c, ok := l.files.at[key]; ok {
		return c, OriginFiles
	}
	if c, ok := l.builtin.at[key]; ok {
		return c, OriginBuiltin
	}
	return Content{}, ""
}

// stamp is the version of an entry: how often it was changed here, and what lies below.
func (l *layers) stamp(key EntryKey) string {
	below, _ := l.under(key)
	return strconv.Itoa(l.own.Entries[key].Serial) + "-" + below.hash()
}

// hash is what tells one content from another, as a part of a version.
func (c Content) hash() string {
	raw, err := json.Marshal(c.tidy())
	if c == (Content{}) || err != nil {
		raw = nil
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:6])
}

func entryOf(key EntryKey, c Content) Entry {
	return Entry{Key: key, Prompt: c.Prompt, Tension: c.Tension, Value: c.Value, Audience: c.Audience, Retired: c.retired()}
}

func (e Entry) content() Content { return Content{e.Prompt, e.Tension, e.Value, e.Audience} }

// entry is an entry as editors see it.
func (l *layers) entry(key EntryKey) (Entry, bool) {
	below, origin := l.under(key)
	mine, own := l.mine(key)
	if !own && origin == "" {
		return Entry{}, false
	}
	var e Entry
	if own {
		e = entryOf(key, mine.Now.tidy())
		e.Origin, e.InForce = OriginOwn, mine.InForce
		e.Local = origin == OriginBuiltin
		e.Update = l.update(key, mine)
	} else {
		e = entryOf(key, below.tidy())
		e.Origin, e.ReadOnly = origin, origin == OriginFiles
	}
	e.Stamp = l.stamp(key)
	return e, true
}

// update is what a release changed under a local change; nil: nothing.
func (l *layers) update(key EntryKey, mine OwnEntry) *Update {
	now, ok := l.builtin.at[key]
	if !ok {
		return nil
	}
	if mine.Base == nil { // the release brings an ID that the organisation had
		return &Update{Mine: entryOf(key, mine.Now), New: entryOf(key, now), Merged: entryOf(key, mine.Now), Clash: changedFields(mine.Now, now, counted...)}
	}
	if len(changedFields(*mine.Base, now, counted...)) == 0 {
		return nil
	}
	u := &Update{Base: entryOf(key, *mine.Base), Mine: entryOf(key, mine.Now), New: entryOf(key, now)}
	var merged Content
	switch base := *mine.Base; {
	case base.Prompt != nil && mine.Now.Prompt != nil:
		p, clash := prompts.Merge(*base.Prompt, *mine.Now.Prompt, *now.Prompt)
		merged, u.Clash = Content{Prompt: &p}, clash
	case base.Tension != nil && mine.Now.Tension != nil:
		t, clash := prompts.MergeTension(*base.Tension, *mine.Now.Tension, *now.Tension)
		merged, u.Clash = Content{Tension: &t}, clash
	case base.Value != nil && mine.Now.Value != nil:
		v, clash := prompts.MergeValue(*base.Value, *mine.Now.Value, *now.Value)
		merged, u.Clash = Content{Value: &v}, clash
	case base.Audience != nil && mine.Now.Audience != nil:
		a, clash := prompts.MergeAudience(*base.Audience, *mine.Now.Audience, *now.Audience)
		merged, u.Clash = Content{Audience: &a}, clash
	}
	u.Merged = entryOf(key, merged.tidy())
	return u
}

// inForce is the prompt of an own entry that is asked; without one, the newest, which its status keeps from being asked.
func (e OwnEntry) inForce() prompts.Prompt {
	if e.Now.Prompt.Status != prompts.Active && e.InForce != nil {
		return *e.InForce
	}
	return *e.Now.Prompt
}

// library puts the layers together: as rounds are chosen from, or in the newest state of every entry.
func (l *layers) library(newest bool) prompts.Library {
	var mine batch
	for _, key := range slices.SortedFunc(maps.Keys(l.own.Entries), func(a, b EntryKey) int { return strings.Compare(a.ID, b.ID) }) {
		e, ok := l.mine(key)
		if !ok {
			continue
		}
		if e.Now.Prompt != nil && !newest {
			e.Now.Prompt = new(e.inForce())
		}
		mine.add(e.Now)
	}
	return l.builtin.lib.Over(l.files.lib).Over(mine.lib)
}

// keys are the keys of all entries in the order of a catalogue.
func (l *layers) keys(lib prompts.Library) []EntryKey {
	var out []EntryKey
	for _, t := range lib.Tensions {
		out = append(out, EntryKey{EntryTension, string(t.ID)})
	}
	for _, v := range lib.Values {
		out = append(out, EntryKey{EntryValue, string(v.ID)})
	}
	for _, a := range lib.Audiences {
		out = append(out, EntryKey{EntryAudience, string(a.ID)})
	}
	first := len(out)
	for _, p := range lib.Prompts {
		out = append(out, EntryKey{EntryPrompt, string(p.ID)})
	}
	slices.SortFunc(out[first:], func(a, b EntryKey) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// note marks every key there is as used. A program that kept no bases may have left changes of built-in entries; they
// count as made from what is built in when they are first seen. It says whether there was anything to note.
func (l *layers) note() (some bool) {
	for key, e := range l.own.Entries {
		now, there := l.builtin.at[key]
		if _, known := l.own.Used[key]; !known && there && e.Base == nil {
			e.Base = &now
			l.own.Entries[key] = e
			some = true
		}
	}
	for origin, keys := range map[Origin][]EntryKey{
		OriginBuiltin: slices.Collect(maps.Keys(l.builtin.at)), OriginFiles: slices.Collect(maps.Keys(l.files.at)), OriginOwn: slices.Collect(maps.Keys(l.own.Entries)),
	} {
		for _, key := range keys {
			if _, known := l.own.Used[key]; known {
				continue
			}
			l.own.Used[key], some = origin, true
			if _, builtin := l.builtin.at[key]; builtin {
				l.own.Used[key] = OriginBuiltin
			}
		}
	}
	return some
}

// noteLibrary does so once at the start, so that what a later release drops is still known.
func (b *Bot) noteLibrary(ctx context.Context) error {
	l, err := b.layers(ctx)
	if err != nil || !l.note() {
		return err
	}
	return b.editLibrary(ctx, func(*layers) (Also, error) { return Also{}, nil })
}

// attempts is how often an edit is made anew when another process changed the library meanwhile.
const attempts = 10

// editLibrary changes the organisation's layer. All that takes time, f does outside the store's transaction; inside, it counts
// only if nothing has changed since. f may run several times.
func (b *Bot) editLibrary(ctx context.Context, f func(*layers) (Also, error)) error {
	b.editing.Lock()
	defer b.editing.Unlock()
	for range attempts {
		l, err := b.layers(ctx)
		if err != nil {
			return err
		}
		l.note()
		also, err := f(l)
		if err != nil {
			return err
		}
		also.Posts = append(also.Posts, l.tell...)
		moved := false
		err = b.o.Store.UpdateOwn(ctx, func(own *Own) (Also, error) {
			if moved = own.Stamp != l.own.Stamp; moved {
				return Also{}, ErrConflict
			}
			*own = l.own
			return also, nil
		})
		if !moved {
			return err
		}
	}
	return ErrConflict
}

// floored is c with what no edit takes from a dilemma that a member brought: that it comes from a team, and the day before
// which it is not asked. Its words are easily known again by those who were there.
func (l *layers) floored(key EntryKey, c Content) Content {
	floor := l.own.Entries[key].Floor
	if floor == "" || c.Prompt == nil {
		return c
	}
	p := *c.Prompt
	p.Source, p.NotBefore = prompts.SourceTeam, max(p.NotBefore, floor)
	return Content{Prompt: &p}
}

// put makes c the newest state of an entry, as the act of an editor.
func (l *layers) put(key EntryKey, c Content, act Act, change func(*OwnEntry)) {
	c = l.floored(key, c)
	e, there := l.own.Entries[key]
	if below, origin := l.under(key); origin == OriginBuiltin && (!there || e.dormant()) {
		e.Base = &below
	}
	e.Now, e.Last, e.Serial = c, act, e.Serial+1
	if change != nil {
		change(&e)
	}
	l.own.Entries[key] = e
	if _, known := l.own.Used[key]; !known {
		l.own.Used[key] = OriginOwn
	}
}

func audited(act Act, key EntryKey) Also {
	return Also{Audit: []AuditEntry{{At: act.At, By: act.By, What: "library", How: act.What + " " + key.String()}}}
}

func did(by ActorID, what string) Act { return Act{At: time.Now().UTC(), By: by, What: what} }

// judged is a library with only what can be wrong with some of its entries: judging the rest would take long.
func judged(lib prompts.Library, keys ...EntryKey) prompts.Library {
	of := map[EntryKey]bool{}
	for _, key := range keys {
		of[key] = true
	}
	all := lib.Prompts
	lib.Prompts = nil
	for _, p := range all {
		if of[EntryKey{EntryPrompt, string(p.ID)}] {
			lib.Prompts = append(lib.Prompts, p)
		}
	}
	return lib
}

// refusedOf is what is wrong with one entry of a library; nil: nothing.
func refusedOf(lib prompts.Library, key EntryKey, lint bool) *Refused {
	r := &Refused{}
	lib = judged(lib, key)
	for _, p := range problemsOf(lib) {
		if p.Table == string(key.Kind) && p.ID == key.ID {
			r.Problems = append(r.Problems, p)
		}
	}
	if lint {
		for _, f := range prompts.Lint(lib) {
			ours := key.Kind == EntryPrompt && string(f.Prompt) == key.ID || key.Kind == EntryTension && string(f.Tension) == key.ID
			if ours && f.Level == prompts.Error {
				r.Findings = append(r.Findings, f)
			}
		}
	}
	if len(r.Problems)+len(r.Findings) == 0 {
		return nil
	}
	return r
}

// problemsOf is what makes a library unusable, as a list.
func problemsOf(lib prompts.Library) []prompts.Problem {
	err := lib.Validate()
	var out []prompts.Problem
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			if p, ok := errors.AsType[prompts.Problem](e); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// batch gathers entries as a library.
type batch struct{ lib prompts.Library }

func (b *batch) add(c Content) {
	switch {
	case c.Prompt != nil:
		b.lib.Prompts = append(b.lib.Prompts, *c.Prompt)
	case c.Tension != nil:
		b.lib.Tensions = append(b.lib.Tensions, *c.Tension)
	case c.Value != nil:
		b.lib.Values = append(b.lib.Values, *c.Value)
	case c.Audience != nil:
		b.lib.Audiences = append(b.lib.Audiences, *c.Audience)
	}
}

// with is the library with one entry in another state.
func with(lib prompts.Library, c Content) prompts.Library {
	var b batch
	b.add(c)
	return lib.Over(b.lib)
}

// encoded is a library as one file.
func encoded(lib prompts.Library) (string, error) {
	var out bytes.Buffer
	err := prompts.Encode(&out, lib)
	return out.String(), err
}
