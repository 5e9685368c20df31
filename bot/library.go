package bot

import (
	"context"
	"errors"
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
	Files    *FileTrouble      // the directory's newest state is refused; the last good one is in force
	Editors  int               // how many there are; with one, activation needs no second pair of eyes
}

// FileTrouble is why the newest state of the directory of files is refused.
type FileTrouble struct {
	At       time.Time
	Problems []string // "file:line: what is wrong and what to do"
}

// Past is one state of an entry that was: the oldest of a changed built-in entry is the built-in one, the newest of
// all is what it is now.
type Past struct {
	Entry Entry
	At    time.Time // zero: not known
	By    ActorID   // empty: not known, or it came with the program
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

// ImportPlan is what an import would do. It is applied whole or not at all: with anything in Refused, not.
type ImportPlan struct {
	Stamp   string // of the catalogue it was made for
	New     []Entry
	Changed []ImportChange
	Same    int
	Refused []ImportRefusal
}

// ImportChange is one entry that an import changes.
type ImportChange struct {
	Before, After Entry
	Fields        []FieldChange
}

// ImportRefusal is one thing that keeps an import from being applied.
type ImportRefusal struct {
	Key   EntryKey // of the entry; zero: the library itself
	Field string   // as in the file; empty: the entry as a whole
	Text  prompts.Text
}

// Catalogue returns the library as editors see it.
func (b *Bot) Catalogue(ctx context.Context) (Catalogue, error) { return Catalogue{}, errNotYet }

// Entry returns one entry in its newest state, or ErrNotFound.
func (b *Bot) Entry(ctx context.Context, key EntryKey) (Entry, error) { return Entry{}, errNotYet }

// EntryHistory returns every state of an entry, oldest first; the last is what it is now.
func (b *Bot) EntryHistory(ctx context.Context, key EntryKey) ([]Past, error) { return nil, errNotYet }

// SaveEntry stores an editor's change, or a new entry (Change.Stamp empty), and returns the entry as it is then.
//
// A prompt is saved as a draft, whatever status the change names: SubmitPrompt and ActivatePrompt take it further, and
// what was active stays in force until then. Only a change that readers do not see (Themes, Author, Source, Licence,
// CooldownWeeks, Season, Avoid) leaves an active prompt active. The revision is counted here. A draft may have gaps.
// Tensions, values and audiences are in force at once. Retired is not changed by saving.
//
// Errors: ErrConflict (the entry as it is now is returned with it), ErrExists, ErrNotFound, ErrReadOnly, *Refused.
func (b *Bot) SaveEntry(ctx context.Context, by ActorID, c Change) (Entry, error) {
	return Entry{}, errNotYet
}

// SubmitPrompt sends a draft to review. *Refused: it has gaps, or lint errors.
func (b *Bot) SubmitPrompt(ctx context.Context, by ActorID, id prompts.ID, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// ActivatePrompt puts a prompt that waits for review in force. ErrSelfReview if by wrote any of what changed since the
// revision in force, unless by is the only editor; then it is recorded as unreviewed.
func (b *Bot) ActivatePrompt(ctx context.Context, by ActorID, id prompts.ID, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// ReturnPrompt sends a prompt in review back to draft. why is kept with the history, for its author.
func (b *Bot) ReturnPrompt(ctx context.Context, by ActorID, id prompts.ID, stamp, why string) (Entry, error) {
	return Entry{}, errNotYet
}

// RetireEntry takes an entry out of use; nothing is ever deleted.
func (b *Bot) RetireEntry(ctx context.Context, by ActorID, key EntryKey, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// WakeEntry brings a retired entry back: a prompt as a draft, the others in use.
func (b *Bot) WakeEntry(ctx context.Context, by ActorID, key EntryKey, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// RestoreEntry makes the state at index n of EntryHistory the newest one again, by the rules of SaveEntry.
func (b *Bot) RestoreEntry(ctx context.Context, by ActorID, key EntryKey, n int, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// SettleUpdate decides what becomes of a local change after a release changed the built-in entry: TakeMine keeps it as
// it is, TakeNew gives it up, TakeMerged takes Update.Merged, by the rules of SaveEntry. ErrNotFound: nothing to decide.
func (b *Bot) SettleUpdate(ctx context.Context, by ActorID, key EntryKey, take, stamp string) (Entry, error) {
	return Entry{}, errNotYet
}

// PlanImport says what an import of lib would do, and changes nothing.
func (b *Bot) PlanImport(ctx context.Context, lib prompts.Library) (ImportPlan, error) {
	return ImportPlan{}, errNotYet
}

// ApplyImport does what a plan says. ErrConflict if the library changed since; *Refused if the plan has refusals.
func (b *Bot) ApplyImport(ctx context.Context, by ActorID, p ImportPlan) error { return errNotYet }

// Diff names the fields in which two entries of one kind differ, in the order of the file.
func (b *Bot) Diff(before, after Entry) []FieldChange { return nil }

// Preview is a prompt as it will stand in a channel.
func (b *Bot) Preview(p prompts.Prompt, lang prompts.Lang) Message { return Message{} }

// MayEdit says whether somebody keeps the library.
func (b *Bot) MayEdit(who ActorID) bool { return b.listedEditor(who) }

var errNotYet = errors.New("not yet")
