package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// EntryKind is a sort of entry of the library.
type EntryKind string

// The sorts of entry, in the order in which a catalogue holds them.
const (
	EntryTension  EntryKind = "tension"
	EntryValue    EntryKind = "value"
	EntryAudience EntryKind = "audience"
	EntryPrompt   EntryKind = "prompt"
)

// EntryKey names an entry. It is never used again for another one.
type EntryKey struct {
	Kind EntryKind
	ID   string
}

// String is the key as an address and an audit entry write it: "prompt/bridge-one-more-boat".
func (k EntryKey) String() string { return string(k.Kind) + "/" + k.ID }

// Origin is where an entry comes from.
type Origin string

// The sources of the library, from the bottom up: an entry of a later one stands in the place of an earlier one.
const (
	OriginBuiltin Origin = "built-in"
	OriginFiles   Origin = "files" // the directory of `[library] dir`
	OriginOwn     Origin = "own"   // the store
)

// Entry is one entry of the library in its newest state. Exactly one of Prompt, Tension, Value and Audience is set, as
// Key.Kind says.
type Entry struct {
	Key      EntryKey
	Prompt   *prompts.Prompt
	Tension  *prompts.Tension
	Value    *prompts.Value
	Audience *prompts.Audience

	// InForce is the revision of a prompt that is asked meanwhile, while Prompt is a newer draft or waits for review.
	// Nil: Prompt itself if it is active, and else none.
	InForce *prompts.Prompt

	Retired  bool    // not offered any more
	Origin   Origin  // own also for a local change to a built-in entry
	Stamp    string  // version; a change names the one it was made from
	Local    bool    // an own entry in the place of a built-in one
	Update   *Update // a release changed the built-in entry under a local change; nil: nothing to decide
	Shown    Shown   // of a prompt
	ReadOnly bool    // comes from files and is edited there
}

// Update is a three-way comparison of an entry: the built-in one it was changed from, what the organisation made of it,
// and the built-in one now. Until it is settled, mine stays in force. Merged takes from each side what only that side
// changed; where both did, it holds mine. Base is the zero Entry if the release brings an ID that the organisation had.
type Update struct {
	Base, Mine, New, Merged Entry
	Clash                   []string // the fields both changed, differently
}

// Shown is what is known of a prompt's use, in rounds, never in people.
type Shown struct {
	Rounds int       // in which it was asked
	Teams  int       // in which teams, as a number
	Last   time.Time // the latest opening; zero: never
	Missed int       // closed rounds in which three or more said it does not touch them
	Rests  time.Time // until when some team's cool-down lasts; zero: it rests nowhere
}

// Catalogue is the library as editors see it: drafts and retired entries included.
type Catalogue struct {
	Stamp    string          // version of the whole
	Library  prompts.Library // in force, as rounds are chosen from
	Entries  []Entry         // tensions, values and audiences in the library's order, then prompts by ID
	Coverage []prompts.Coverage
	Findings []prompts.Finding // lint of the whole, in its newest state
	Problems []prompts.Problem // what makes entries unusable, in their newest state; drafts may have gaps
	Files    *FileTrouble      // the directory's newest state is refused; the last good one is in force
	Editors  int               // how many there are; with one, activation needs no second pair of eyes
}

// FileTrouble is why the newest state of the directory of files is refused.
type FileTrouble struct {
	At       time.Time
	Problems []string // "file:line: what is wrong and what to do"

	hash, stamp string // of the state, and of the library it was judged for
}

// Past is one state of an entry that was: the oldest of a changed built-in entry is the built-in one, the newest of
// all is what it is now.
type Past struct {
	Entry Entry
	At    time.Time // zero: not known
	By    ActorID   // empty: not known, or it came with the program
	Why   string    // why it was sent back to draft
	What  string    // "built-in", "new", "change", "submit", "activate", "activate-unreviewed", "return", "retire", "wake", "restore", "settle", "import", "propose", "before"
}

// Change is what an editor sends in.
type Change struct {
	Entry       Entry
	Stamp       string // of the entry it was made from; empty: a new one
	SameMeaning bool   // of a tension with other words: the counts so far go on
}

// FieldChange is one field that differs, named as in the file: "nl.title", "tensions".
type FieldChange struct{ Field, Before, After string }

// Refused says why an entry is not taken, everything at once.
type Refused struct {
	Problems []prompts.Problem
	Findings []prompts.Finding // errors of the editorial lint
}

// Error lists problems and findings, one a line.
func (r *Refused) Error() string {
	var all []error
	for _, p := range r.Problems {
		all = append(all, p)
	}
	for _, f := range r.Findings {
		all = append(all, errors.New(f.String()))
	}
	if err := errors.Join(all...); err != nil {
		return err.Error()
	}
	return "refused"
}

// The errors of the library's use cases, besides ErrNotFound, ErrExists (the ID was used before), ErrConflict (changed
// meanwhile) and *Refused.
var (
	ErrSelfReview = errors.New("somebody else than its author reads a prompt before it is asked")
	ErrReadOnly   = errors.New("the entry comes from files and is edited there")
)

// What SettleUpdate takes.
const (
	TakeMine   = "mine"
	TakeNew    = "new"
	TakeMerged = "merged"
)

// Catalogue returns the library as editors see it.
func (b *Bot) Catalogue(ctx context.Context) (Catalogue, error) {
	l, hidden, err := b.layersShown(ctx)
	if err != nil {
		return Catalogue{}, err
	}
	shown, err := b.shownAll(ctx, l)
	if err != nil {
		return Catalogue{}, err
	}
	newest, now := l.library(true), l.library(false)
	c := Catalogue{
		Stamp: l.own.Stamp, Library: now, Coverage: prompts.Cover(now), Findings: b.lint(l.own.Stamp+"-"+strconv.Itoa(hidden), newest), Problems: problemsOf(newest),
		Files: b.trouble.Load(), Editors: b.editors(),
	}
	for _, key := range l.keys(newest) {
		if e, ok := l.entry(key); ok {
			e.Shown = shown[key]
			c.Entries = append(c.Entries, e)
		}
	}
	return c, nil
}

// NewestLibrary is the library in the newest state of every entry, drafts and retired ones included: what an export holds.
func (b *Bot) NewestLibrary(ctx context.Context) (prompts.Library, error) {
	l, _, err := b.layersShown(ctx)
	if err != nil {
		return prompts.Library{}, err
	}
	return l.library(true), nil
}

// Entry returns one entry in its newest state, or ErrNotFound.
func (b *Bot) Entry(ctx context.Context, key EntryKey) (Entry, error) {
	l, _, err := b.layersShown(ctx)
	if err != nil {
		return Entry{}, err
	}
	return b.shownEntry(ctx, l, key)
}

func (b *Bot) shownEntry(ctx context.Context, l *layers, key EntryKey) (Entry, error) {
	e, ok := l.entry(key)
	if !ok {
		return Entry{}, ErrNotFound
	}
	if key.Kind != EntryPrompt {
		return e, nil
	}
	shown, err := b.shownAll(ctx, l)
	e.Shown = shown[key]
	return e, err
}

// SentBack returns why a draft came back from review, until it goes there again; empty for everything else.
func (b *Bot) SentBack(ctx context.Context, e Entry) (why string, err error) {
	if e.Prompt == nil || e.Prompt.Status != prompts.Draft {
		return "", nil
	}
	past, err := b.EntryHistory(ctx, e.Key)
	for _, p := range slices.Backward(past) {
		switch p.What {
		case "return":
			return p.Why, nil
		case "submit", "activate", "retire":
			return "", nil
		}
	}
	return "", err
}

// EntryHistory returns every state of an entry, oldest first; the last is what it is now.
func (b *Bot) EntryHistory(ctx context.Context, key EntryKey) ([]Past, error) {
	l, _, err := b.layersShown(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := l.entry(key)
	if !ok {
		return nil, ErrNotFound
	}
	rows, err := b.o.Store.OwnHistory(ctx, key)
	if err != nil {
		return nil, err
	}
	var out []Past
	for _, row := range rows {
		past := entryOf(key, row.Content.tidy())
		past.Origin = OriginOwn
		if row.What == "built-in" {
			past.Origin = OriginBuiltin
		}
		out = append(out, Past{Entry: past, At: row.At, By: row.By, Why: row.Why, What: row.What})
	}
	if len(out) == 0 || len(changedFields(out[len(out)-1].Entry.content(), e.content(), counted...)) > 0 { // what lies below has moved on
		out = append(out, Past{Entry: e, What: string(e.Origin)})
	}
	return out, nil
}

// SaveEntry stores an editor's change, or a new entry (Change.Stamp empty), and returns the entry as it is then.
//
// A prompt is saved as a draft, whatever status the change names: SubmitPrompt and ActivatePrompt take it further, and
// what was active stays in force until then. Only a change that readers do not see (Themes, Author, Licence,
// CooldownWeeks, Season, Avoid) leaves an active prompt active. What a member brought keeps its source, and is asked no
// sooner than it says. The revision is counted here. A draft may have gaps. Tensions, values and audiences are in force at
// once. Retired is not changed by saving; a retired prompt is woken first. A change that changes nothing is none.
//
// Errors: ErrConflict (the entry as it is now is returned with it), ErrExists, ErrNotFound, ErrReadOnly, *Refused.
func (b *Bot) SaveEntry(ctx context.Context, by ActorID, c Change) (Entry, error) {
	content := c.Entry.content()
	key, ok := content.key()
	if !ok || c.Entry.Key != (EntryKey{}) && c.Entry.Key != key {
		return Entry{}, ErrNotFound
	}
	what := "change"
	if c.Stamp == "" {
		what = "new"
	}
	return b.changeEntry(ctx, by, key, c.Stamp, what, func(l *layers, cur Entry, act Act) error {
		return b.saveContent(l, key, cur, content.tidy(), act, c.SameMeaning)
	})
}

// changeEntry runs one editor's act on one entry: found, ours to change, and not changed by somebody else meanwhile. An act
// with an empty stamp makes a new one.
func (b *Bot) changeEntry(ctx context.Context, by ActorID, key EntryKey, stamp, what string, f func(l *layers, cur Entry, act Act) error) (Entry, error) {
	var conflict Entry
	err := b.editLibrary(ctx, func(l *layers) (Also, error) {
		cur, ok := l.entry(key)
		_, used := l.own.Used[key]
		switch {
		case stamp == "" && (ok || used):
			return Also{}, ErrExists
		case stamp != "" && !ok:
			return Also{}, ErrNotFound
		case cur.ReadOnly:
			return Also{}, ErrReadOnly
		case stamp != cur.Stamp:
			conflict = cur
			return Also{}, ErrConflict
		}
		act := did(by, what)
		serial := l.own.Entries[key].Serial
		if err := f(l, cur, act); err != nil {
			return Also{}, err
		}
		if l.own.Entries[key].Serial == serial {
			return Also{}, errSame
		}
		return audited(l.own.Entries[key].Last, key), nil
	})
	switch {
	case errors.Is(err, errSame):
	case errors.Is(err, ErrConflict):
		return conflict, err
	case err != nil:
		return Entry{}, err
	}
	return b.Entry(ctx, key)
}

// saveContent puts content in the place of an entry, or makes a new one.
func (b *Bot) saveContent(l *layers, key EntryKey, cur Entry, content Content, act Act, same bool) error {
	switch {
	case content.Prompt != nil:
		return b.savePrompt(l, key, cur, *content.Prompt, act)
	case content.Tension != nil:
		t := content.Tension
		t.Formerly, t.Retired = nil, false
		if old := cur.Tension; old != nil {
			t.Retired = old.Retired
			if same || t.Sense() == old.Sense() {
				*t = t.After(*old)
			}
		}
	case content.Value != nil:
		content.Value.Retired = cur.Retired
	case content.Audience != nil:
		content.Audience.Retired = cur.Retired
	}
	return l.settle(key, cur, content, act)
}

// settle puts a tension, value or audience in force, if it is right.
func (l *layers) settle(key EntryKey, cur Entry, content Content, act Act) error {
	if len(changedFields(cur.content(), content)) == 0 {
		return nil
	}
	if r := refusedOf(with(l.library(true), content), key, key.Kind == EntryTension); r != nil {
		return r
	}
	l.put(key, content, act, nil)
	return nil
}

// filled is a new prompt with what every prompt has.
func filled(p prompts.Prompt) prompts.Prompt {
	if p.Kind == "" {
		p.Kind = prompts.Dilemma
	}
	if p.Phase == "" {
		p.Phase = prompts.PhaseOpen
		if p.Kind == prompts.LookBack {
			p.Phase = prompts.PhaseLookBack
		}
	}
	if p.Family == "" {
		p.Family = string(p.ID)
	}
	if p.Source == "" {
		p.Source = prompts.SourceOriginal
	}
	if p.Author == "" {
		p.Author = prompts.ByEditor
	}
	if p.Intensity == 0 {
		p.Intensity = 1
	}
	if p.CooldownWeeks == 0 && p.Kind != prompts.LookBack {
		p.CooldownWeeks = 52
		if p.Kind == prompts.Practice {
			p.CooldownWeeks = 26
		}
	}
	return p
}

// savePrompt makes p the newest revision of a prompt.
func (b *Bot) savePrompt(l *layers, key EntryKey, cur Entry, p prompts.Prompt, act Act) error {
	p = *l.floored(key, Content{Prompt: &p}).Prompt
	p.Status, p.Revision, p.Reviewer = prompts.Draft, 1, ""
	old := cur.Prompt
	if old == nil {
		p = filled(p)
	} else {
		changed := changedFields(Content{Prompt: old}, Content{Prompt: &p}, standing...)
		switch {
		case len(changed) == 0:
			return nil
		case old.Status == prompts.Retired:
			return wrongStatus(*old, "not retired")
		case old.Status == prompts.Active && !slices.ContainsFunc(changed, func(f string) bool { return !slices.Contains(unseen, f) }):
			p.Status, p.Reviewer = prompts.Active, old.Reviewer
		}
		p.Revision = max(old.Revision, l.lastRevision(key)) + 1
	}
	if r := refusedOf(with(l.library(true), Content{Prompt: &p}), key, p.Status == prompts.Active); r != nil {
		return r
	}
	l.put(key, Content{Prompt: &p}, act, func(e *OwnEntry) { e.drafted(old, p, act.By) })
	return nil
}

// lastRevision is the highest revision that an own prompt has had, as far as its newest state tells.
func (l *layers) lastRevision(key EntryKey) int {
	e := l.own.Entries[key]
	n := 0
	if e.Now.Prompt != nil {
		n = e.Now.Prompt.Revision
	}
	if e.InForce != nil {
		n = max(n, e.InForce.Revision)
	}
	return n
}

// drafted keeps what was in force while p is a newer draft, and who wrote it.
func (e *OwnEntry) drafted(old *prompts.Prompt, p prompts.Prompt, by ActorID) {
	switch {
	case p.Status == prompts.Active:
		e.InForce, e.Writers = nil, nil
		return
	case p.Status == prompts.Retired || p.Status == prompts.Resting: // it may be woken again, and its words are as unread as they were
		e.InForce = nil
	case old != nil && old.Status == prompts.Active:
		e.InForce, e.Writers = old, nil
	}
	if by != "" && !slices.Contains(e.Writers, by) {
		e.Writers = append(e.Writers, by)
	}
}

// wrongStatus says that a prompt does not stand where an act needs it.
func wrongStatus(p prompts.Prompt, want string) *Refused {
	return &Refused{Problems: []prompts.Problem{prompts.NewProblem(string(EntryPrompt), string(p.ID), "status",
		"is %q; only a prompt that is %s can be taken further so; look where it stands and choose again", p.Status, want)}}
}

// movePrompt takes a prompt from one status to the next, with its words as they are.
func (b *Bot) movePrompt(ctx context.Context, by ActorID, id prompts.ID, stamp, what string, from prompts.Status, f func(l *layers, e OwnEntry, p *prompts.Prompt, act *Act) error) (Entry, error) {
	key := EntryKey{EntryPrompt, string(id)}
	return b.changeEntry(ctx, by, key, orNone(stamp), what, func(l *layers, cur Entry, act Act) error {
		if cur.Prompt.Status != from {
			return wrongStatus(*cur.Prompt, string(from))
		}
		p := cur.Prompt.Tidy()
		if err := f(l, l.own.Entries[key], &p, &act); err != nil {
			return err
		}
		l.put(key, Content{Prompt: &p}, act, func(e *OwnEntry) {
			if p.Status == prompts.Active {
				e.InForce, e.Writers = nil, nil
			}
		})
		return nil
	})
}

// orNone keeps an empty stamp from making a new entry.
func orNone(stamp string) string {
	if stamp == "" {
		return "none"
	}
	return stamp
}

// ready says what keeps a prompt from being asked, as it would stand once it is reviewed.
func (l *layers) ready(p prompts.Prompt, reviewer string) error {
	p.Status, p.Reviewer = prompts.Active, reviewer
	if r := refusedOf(with(l.library(true), Content{Prompt: &p}), EntryKey{EntryPrompt, string(p.ID)}, true); r != nil {
		return r
	}
	return nil
}

// SubmitPrompt sends a draft to review, and tells the other editors who want to know. *Refused: it has gaps, or lint errors.
func (b *Bot) SubmitPrompt(ctx context.Context, by ActorID, id prompts.ID, stamp string) (Entry, error) {
	return b.submitPrompt(ctx, by, id, stamp, time.Now())
}

func (b *Bot) submitPrompt(ctx context.Context, by ActorID, id prompts.ID, stamp string, at time.Time) (Entry, error) {
	e, err := b.movePrompt(ctx, by, id, stamp, "submit", prompts.Draft, func(l *layers, _ OwnEntry, p *prompts.Prompt, _ *Act) (err error) {
		p.Status = prompts.Review
		if err := l.ready(*p, prompts.BySecond); err != nil {
			return err
		}
		l.tell, err = b.notices(ctx, by, at, false)
		return err
	})
	if err == nil {
		b.wake(b.wakeSender)
	}
	return e, err
}

// ActivatePrompt puts a prompt that waits for review in force. ErrSelfReview if by wrote any of what changed since the
// revision in force, unless by is the only editor; then it is recorded as unreviewed. *Refused: it has gaps, or lint errors.
func (b *Bot) ActivatePrompt(ctx context.Context, by ActorID, id prompts.ID, stamp string) (Entry, error) {
	return b.movePrompt(ctx, by, id, stamp, "activate", prompts.Review, func(l *layers, e OwnEntry, p *prompts.Prompt, act *Act) error {
		p.Status, p.Reviewer = prompts.Active, prompts.BySecond
		if slices.Contains(e.Writers, by) {
			if b.othersRead(by) {
				return ErrSelfReview
			}
			p.Reviewer, act.What = prompts.Unreviewed, "activate-unreviewed"
		}
		return l.ready(*p, p.Reviewer)
	})
}

// othersRead says whether there is somebody else to read what an editor wrote.
func (b *Bot) othersRead(by ActorID) bool { return b.editors() > 1 || !b.MayEdit(by) }

// OwnWork says whether an editor wrote any of a prompt that waits for review, so that it is for somebody else to put in force.
func (b *Bot) OwnWork(ctx context.Context, by ActorID, e Entry) (bool, error) {
	if e.Prompt == nil || e.Prompt.Status != prompts.Review || !b.othersRead(by) {
		return false, nil
	}
	l, err := b.layers(ctx)
	if err != nil {
		return false, err
	}
	return slices.Contains(l.own.Entries[e.Key].Writers, by), nil
}

// ReturnPrompt sends a prompt in review back to draft. why is kept with the history, for its author.
func (b *Bot) ReturnPrompt(ctx context.Context, by ActorID, id prompts.ID, stamp, why string) (Entry, error) {
	return b.movePrompt(ctx, by, id, stamp, "return", prompts.Review, func(_ *layers, _ OwnEntry, p *prompts.Prompt, act *Act) error {
		p.Status, act.Why = prompts.Draft, why
		return nil
	})
}

// RetireEntry takes an entry out of use; nothing is ever deleted. Retiring a draft also takes away what is in force.
func (b *Bot) RetireEntry(ctx context.Context, by ActorID, key EntryKey, stamp string) (Entry, error) {
	return b.changeEntry(ctx, by, key, orNone(stamp), "retire", func(l *layers, cur Entry, act Act) error {
		if cur.Retired {
			return nil
		}
		c := cur.content().tidy()
		switch {
		case c.Prompt != nil:
			c.Prompt.Status = prompts.Retired
		case c.Tension != nil:
			c.Tension.Retired = true
		case c.Value != nil:
			c.Value.Retired = true
		case c.Audience != nil:
			c.Audience.Retired = true
		}
		l.put(key, c, act, func(e *OwnEntry) { e.InForce = nil })
		return nil
	})
}

// WakeEntry brings a retired entry back: a prompt as a draft, unless it is as it is built in; the others in use.
func (b *Bot) WakeEntry(ctx context.Context, by ActorID, key EntryKey, stamp string) (Entry, error) {
	return b.changeEntry(ctx, by, key, orNone(stamp), "wake", func(l *layers, cur Entry, act Act) error {
		if !cur.Retired {
			return nil
		}
		c := cur.content().tidy()
		switch {
		case c.Prompt != nil:
			c.Prompt.Status = prompts.Draft
			if base := l.own.Entries[key].Base; base != nil && len(changedFields(*base, c, standing...)) == 0 {
				c = base.tidy()
			}
		case c.Tension != nil:
			c.Tension.Retired = false
		case c.Value != nil:
			c.Value.Retired = false
		case c.Audience != nil:
			c.Audience.Retired = false
		}
		if r := refusedOf(with(l.library(true), c), key, false); r != nil {
			return r
		}
		l.put(key, c, act, func(e *OwnEntry) {
			if c.Prompt != nil && !e.dormant() && by != "" && !slices.Contains(e.Writers, by) {
				e.Writers = append(e.Writers, by)
			}
		})
		return nil
	})
}

// RestoreEntry makes the state at index n of EntryHistory the newest one again, by the rules of SaveEntry: a prompt comes
// back as a draft. A tension that meant the same meanwhile counts on.
func (b *Bot) RestoreEntry(ctx context.Context, by ActorID, key EntryKey, n int, stamp string) (Entry, error) {
	history, err := b.EntryHistory(ctx, key)
	if err != nil {
		return Entry{}, err
	}
	if n < 0 || n >= len(history) {
		return Entry{}, ErrNotFound
	}
	content := history[n].Entry.content()
	return b.changeEntry(ctx, by, key, orNone(stamp), "restore", func(l *layers, cur Entry, act Act) error {
		same := cur.Tension != nil && content.Tension != nil && cur.Tension.Means(content.Tension.Sense())
		return b.saveContent(l, key, cur, content.tidy(), act, same)
	})
}

// SettleUpdate decides what becomes of a local change after a release changed the built-in entry: TakeMine keeps it as
// it is, TakeNew gives it up, TakeMerged takes Update.Merged, by the rules of SaveEntry. ErrNotFound: nothing to decide.
func (b *Bot) SettleUpdate(ctx context.Context, by ActorID, key EntryKey, take, stamp string) (Entry, error) {
	return b.changeEntry(ctx, by, key, orNone(stamp), "settle", func(l *layers, cur Entry, act Act) error {
		if cur.Update == nil {
			return ErrNotFound
		}
		base := l.builtin.at[key]
		onNew := func(e *OwnEntry) { e.Base = &base }
		switch take {
		case TakeMine:
			l.put(key, cur.content(), act, onNew)
			return nil
		case TakeNew:
			c := base.tidy()
			if c.Prompt != nil {
				c.Prompt.Revision = max(c.Prompt.Revision, l.lastRevision(key)+1)
			}
			if c.Tension != nil && cur.Update.sameMeaning() && !c.Tension.Means(cur.Tension.Sense()) {
				*c.Tension = c.Tension.After(*cur.Tension)
			}
			l.put(key, c, act, func(e *OwnEntry) { e.Base, e.InForce, e.Writers = &base, nil, nil })
			return nil
		case TakeMerged:
			return b.settleMerged(l, key, cur, base, act)
		}
		return ErrNotFound
	})
}

// settleMerged takes what only one side of an update changed, and counts from the new base on.
func (b *Bot) settleMerged(l *layers, key EntryKey, cur Entry, base Content, act Act) error {
	merged := cur.Update.Merged.content().tidy()
	serial := l.own.Entries[key].Serial
	var err error
	switch p := merged.Prompt; {
	case p != nil && p.Status == prompts.Retired:
		l.put(key, merged, act, func(e *OwnEntry) { e.drafted(nil, *p, act.By) })
	case p != nil:
		err = b.saveContent(l, key, cur, merged, act, false)
	default:
		if t := merged.Tension; t != nil {
			cur.Update.senses(t)
		}
		err = l.settle(key, cur, merged, act)
	}
	if err != nil {
		return err
	}
	if l.own.Entries[key].Serial == serial { // it brings nothing that mine does not have
		l.put(key, cur.content(), act, nil)
	}
	e := l.own.Entries[key]
	e.Base = &base
	l.own.Entries[key] = e
	return nil
}

// sameMeaning says whether a tension means on both sides of an update what it meant before.
func (u *Update) sameMeaning() bool {
	base, mine, now := u.Base.Tension, u.Mine.Tension, u.New.Tension
	return base != nil && mine != nil && now != nil && mine.Means(base.Sense()) && now.Means(base.Sense())
}

// senses gives the tension that an update merged the earlier senses that count for it.
func (u *Update) senses(t *prompts.Tension) {
	switch {
	case u.sameMeaning():
		*t = t.After(*u.Mine.Tension)
	case t.Sense() == u.Mine.Tension.Sense():
		t.Formerly = u.Mine.Tension.Formerly
	case t.Sense() == u.New.Tension.Sense():
		t.Formerly = u.New.Tension.Formerly
	default:
		t.Formerly = nil
	}
}

// Diff names the fields in which two entries of one kind differ, in the order of the file.
func (b *Bot) Diff(before, after Entry) []FieldChange { return diff(before.content(), after.content()) }

// Preview is a prompt as it will stand in a channel, with the times of a round that is planned now.
func (b *Bot) Preview(p prompts.Prompt, lang prompts.Lang) Message {
	r := Round{Prompt: p, Lang: lang, Zone: b.o.Team.Zone, Adviser: b.o.Team.Adviser}
	if cal, err := ParseCalendar(b.o.Team, b.o.Holidays...); err == nil { // checked when the bot was made
		next := cal.Next(time.Now(), time.Now(), time.Time{}, false)
		r.Opens, r.Closes, r.GivesBack = next.Opens, next.Closes, next.GivesBack
	}
	return b.promptMessage(r, false)
}

// MayEdit says whether somebody keeps the library.
func (b *Bot) MayEdit(who ActorID) bool { return b.listedEditor(who) }

// editors is how many people keep the library.
func (b *Bot) editors() int {
	b.appointed.mu.RLock()
	defer b.appointed.mu.RUnlock()
	all := slices.Concat(b.o.Editors, b.appointed.editors)
	slices.Sort(all)
	return len(slices.Compact(all))
}
