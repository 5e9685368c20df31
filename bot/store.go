package bot

import (
	"context"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Also is what a store operation does in the same transaction besides its own effect.
type Also struct {
	Posts []Post // queued in the outbox; a PostID that exists already is left as it is
	Audit []AuditEntry

	Judged *JudgedBy // added to the totals of a scorer
}

// Task is one thing the agenda says is due: a team whose next round must open, or a round whose next step has come.
// Exactly one of the two is set.
type Task struct {
	Team  TeamID
	Round RoundID
	At    time.Time
}

// Agenda is a port: the persisted due moments. Teams and rounds enter it by their Wake whenever they are stored.
type Agenda interface {
	// Due returns at most limit tasks whose moment is not after now, earliest first, and the earliest moment after
	// now (zero: none).
	Due(ctx context.Context, now time.Time, limit int) ([]Task, time.Time, error)
}

// Teams is a port: the channels that were opted in.
type Teams interface {
	// Teams returns all teams in the order of their IDs.
	Teams(ctx context.Context) ([]Team, error)
	// Team returns one team, or ErrNotFound.
	Team(ctx context.Context, id TeamID) (Team, error)
	// UpdateTeam changes a team in one transaction. For a team that does not exist edit gets a zero Team with its
	// ID. edit is pure and may run twice; its error leaves everything as it was and is returned.
	UpdateTeam(ctx context.Context, id TeamID, edit func(*Team) (Also, error)) error
	// MoveTeam gives a team another ID, with its rounds and posts, in one transaction: some platforms change that of a
	// channel. ErrNotFound if there is no such team; ErrExists if the new ID is taken.
	MoveTeam(ctx context.Context, id, to TeamID) error
}

// AuditLog is a port: what managers, editors and the operator did. Entries come by Also.
type AuditLog interface {
	// Audit returns the entries, oldest first.
	Audit(ctx context.Context) ([]AuditEntry, error)
	// ForgetAudit removes the entries made before a moment and marks them for Erase. Without any it writes nothing.
	ForgetAudit(ctx context.Context, before time.Time) error
}

// Rounds is a port: what was asked.
type Rounds interface {
	// PlanRound stores a new round, changes its team and queues what edit returns, in one transaction. A round of the
	// same team, kind and due moment gives ErrExists and changes nothing. An open round gets an empty box.
	PlanRound(ctx context.Context, r Round, edit func(*Team) (Also, error)) error
	// Round returns one round, or ErrNotFound.
	Round(ctx context.Context, id RoundID) (Round, error)
	// Rounds returns a team's rounds of every kind, by due moment.
	Rounds(ctx context.Context, team TeamID) ([]Round, error)
	// UpdateRound changes a round and its team in one transaction. A box takes ballots only while its round's state
	// is open. edit is pure and may run twice. ErrNotFound if either is missing.
	UpdateRound(ctx context.Context, id RoundID, edit func(*Round, *Team) (Also, error)) error
}

// Slip is what lies at one address of a box, sealed and opaque: the ballot, which counts, and aside, a draft or the
// tombstone of a withdrawn reply, which never does. Nil: nothing there.
type Slip struct {
	Ballot []byte
	Aside  []byte
}

// SealedBallot is a ballot with the address it is bound to.
type SealedBallot struct {
	Address Address
	Sealed  []byte
}

// SealedReply is a released reply as the store keeps it.
type SealedReply struct {
	ID      ReplyID
	Receipt [32]byte // SHA-256 of the receipt code; zero: none
	Sealed  []byte
}

// Ballots is a port: the boxes of open rounds. The store sees opaque bytes at addresses.
type Ballots interface {
	// Cast changes what lies at an address, inside the write transaction. edit is pure and may run twice; its error
	// leaves everything as it was. ErrClosed unless the round is open, ErrNotFound if there is no such round.
	Cast(ctx context.Context, round RoundID, at Address, edit func(Slip) (Slip, error)) error
	// Slip returns what lies at an address; an empty Slip if nothing does. Errors as Cast.
	Slip(ctx context.Context, round RoundID, at Address) (Slip, error)
	// Box returns the ballots (never what is aside), in no telling order. ErrNotFound if the box is gone.
	Box(ctx context.Context, round RoundID) ([]SealedBallot, error)
	// Release empties the box and keeps the replies, in one transaction: ballots and asides are deleted, replies are
	// put on the shelf, round and team are changed by edit, its posts queued, and the round is marked for Erase.
	Release(ctx context.Context, round RoundID, replies []SealedReply, edit func(*Round, *Team) (Also, error)) error
}

// Shelf is a port: released replies, without author, time or order.
type Shelf interface {
	// Shelf returns a round's released replies in the order of their random IDs.
	Shelf(ctx context.Context, round RoundID) ([]SealedReply, error)
	// Unshelve removes the reply with that receipt and changes its round, in one transaction, and marks the round for
	// Erase. ErrNotFound if no reply has it.
	Unshelve(ctx context.Context, receipt [32]byte, edit func(*Round, *Team) (Also, error)) error
	// ClearShelf removes all of a round's replies, changes the round and marks it for Erase.
	ClearShelf(ctx context.Context, round RoundID, edit func(*Round, *Team) (Also, error)) error
	// Erase overwrites the freed pages for all marks at once and takes the marks away. Without marks it does nothing.
	// ErrBusy: somebody is reading, come back later.
	Erase(ctx context.Context) error
}

// PostState is where an outgoing message stands.
type PostState string

// The states of an outgoing message (TRUST 8).
const (
	PostQueued    PostState = "queued"
	PostSending   PostState = "sending"
	PostSent      PostState = "sent"
	PostFailed    PostState = "failed"
	PostUncertain PostState = "uncertain"
)

// Post is one row of the outbox: the intent to say something in a channel, stored before it is said.
type Post struct {
	ID      PostID    `json:"id"`  // "<round or team>/<step>"
	Key     string    `json:"key"` // random; lets a platform drop a repeat, and lets us find our own post
	Team    TeamID    `json:"team"`
	Message Message   `json:"message"`            // dropped once sent
	Round   RoundID   `json:"round,omitempty"`    // whose replies Part is made of when it leaves
	Part    Part      `json:"part,omitempty"`     // made when it leaves, so that no row holds people's words
	Page    int       `json:"page,omitempty"`     // which message of the part, from 0
	To      ActorID   `json:"to,omitempty"`       // a private message to a manager or editor who asked for it
	ReplyTo PostID    `json:"reply_to,omitempty"` // in the thread of that post, once it is sent
	EditOf  PostID    `json:"edit_of,omitempty"`  // replaces that post's message, once it is sent
	After   time.Time `json:"after"`              // not before
	Until   time.Time `json:"until"`              // not after; zero: no limit
	State   PostState `json:"state"`
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"` // start of the last attempt
	Ref     Ref       `json:"ref,omitempty"`
	Settled time.Time `json:"settled,omitzero"` // version of the answer to "did it arrive?": what is not newer is a redelivery
}

// Part is a message that is made of a round's replies at the moment it leaves: a reply that was taken back meanwhile is
// not in it.
type Part string

// The parts of a give-back that hold people's words.
const (
	PartHeard  Part = "give-back"
	PartQuotes Part = "thread"
	PartSeason Part = "season" // of a vote: the overview of the season it is about
)

// Outbox is a port: everything that leaves, as intents.
type Outbox interface {
	// Pending returns at most limit posts that are queued or sending and whose After is not later than now, oldest
	// first, and the earliest After later than now (zero: none).
	Pending(ctx context.Context, now time.Time, limit int) ([]Post, time.Time, error)
	// Post returns one post, or ErrNotFound.
	Post(ctx context.Context, id PostID) (Post, error)
	// UpdatePost changes a post and does what edit returns, in one transaction. edit is pure and may run twice.
	// ErrNotFound.
	UpdatePost(ctx context.Context, id PostID, edit func(*Post) (Also, error)) error
	// Queue adds posts; one whose ID exists already is left as it is.
	Queue(ctx context.Context, posts ...Post) error
}

// Library is a port: what the organisation made of the library, with its history.
type Library interface {
	// Own returns everything of it.
	Own(ctx context.Context) (Own, error)
	// LibraryStamp changes with every change of what Own returns, and never comes back.
	LibraryStamp(ctx context.Context) (string, error)
	// UpdateOwn changes it in one transaction. Every entry that edit changed becomes part of the history as it is then, by
	// its Last. Entries are never taken out; one that edit dropped is ErrConflict. edit is pure and may run twice; its error
	// leaves everything as it was and is returned.
	UpdateOwn(ctx context.Context, edit func(*Own) (Also, error)) error
	// OwnHistory returns every state that an own entry had, oldest first; the last is the one it has.
	OwnHistory(ctx context.Context, key EntryKey) ([]OwnPast, error)
}

// Proposals is a port: what a member brought may be taken back.
type Proposals interface {
	// EraseOwn takes one own entry out as if it never was, with its history, if check allows it, and marks it for Erase. Its
	// key stays used. ErrNotFound.
	EraseOwn(ctx context.Context, key EntryKey, check func(OwnEntry) error) error
}

// Watching is a port: which editors asked to be told that something waits for review.
type Watching interface {
	// Watchers returns them, and those who asked for it no more.
	Watchers(ctx context.Context) ([]Watcher, error)
	// UpdateWatchers changes the list in one transaction. edit is pure and may run twice; its error leaves everything as
	// it was and is returned.
	UpdateWatchers(ctx context.Context, edit func([]Watcher) ([]Watcher, error)) error
}

// Judgements is a port: what scorers proved to be worth, for the whole installation. It grows by Also.
type Judgements interface {
	// Judged returns the totals of the scorer with that name.
	Judged(ctx context.Context, scorer string) (map[prompts.TensionID]Modes, error)
}

// Restores is a port: whether the store is a backup that was put back.
type Restores interface {
	// Restored returns when the store was put back from a backup; zero if it was not, or ForgetRestored was called.
	Restored(ctx context.Context) (time.Time, error)
	// ForgetRestored takes the mark away, once what belongs to it is done.
	ForgetRestored(ctx context.Context) error
}

// Store is every port that one database keeps. Use cases take the small ones; this is for wiring and contract tests.
type Store interface {
	Agenda
	Teams
	AuditLog
	Rounds
	Ballots
	Shelf
	Outbox
	Library
	Proposals
	Watching
	Judgements
	Restores
}

// KeySlot is one small secret that lives outside the store and every backup.
type KeySlot struct {
	Name string // "<round>.ballot", "<round>.shelf", "<round>-<receipt>.removed", "<prompt>.erased"
	Key  []byte // at most 256 bytes; of a removed reply, the hash of its receipt
}

// Keys is a port: the key slots.
type Keys interface {
	// Create makes slots durable (file and directory) before it returns. A name that exists gives ErrExists.
	Create(ctx context.Context, slots ...KeySlot) error
	// Open returns a slot's key, or ErrNotFound.
	Open(ctx context.Context, name string) ([]byte, error)
	// Destroy overwrites and removes slots. A missing slot counts as destroyed.
	Destroy(ctx context.Context, names ...string) error
	// Slots returns the names of all slots.
	Slots(ctx context.Context) ([]string, error)
}
