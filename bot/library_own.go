package bot

import (
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Content is what an entry says. Exactly one is set.
type Content struct {
	Prompt   *prompts.Prompt   `json:"prompt,omitempty"`
	Tension  *prompts.Tension  `json:"tension,omitempty"`
	Value    *prompts.Value    `json:"value,omitempty"`
	Audience *prompts.Audience `json:"audience,omitempty"`
}

// Act is what an editor did to an entry.
type Act struct {
	At   time.Time `json:"at,omitzero"`
	By   ActorID   `json:"by,omitempty"` // forgotten with the audit log
	What string    `json:"what"`
	Why  string    `json:"why,omitempty"`
}

// OwnEntry is what the store keeps of an entry that the organisation added or changed.
type OwnEntry struct {
	Now     Content         `json:"now"`                // the newest state
	InForce *prompts.Prompt `json:"in_force,omitempty"` // the revision that is asked while Now is a newer one
	Base    *Content        `json:"base,omitempty"`     // the built-in entry it was changed from; nil: none
	Serial  int             `json:"serial"`             // how often it was changed, from 1
	Last    Act             `json:"last"`
	Writers []ActorID       `json:"writers,omitempty"` // who wrote what differs from the revision last read; forgotten with Last unless somebody has still to read it
	Floor   string          `json:"floor,omitempty"`   // of what a member brought: the first day on which it may be asked, whatever is edited
}

// OwnPast is one state that an own entry had.
type OwnPast struct {
	Content
	Act
}

// Own is everything that the organisation made of the library.
type Own struct {
	Stamp   string // of the whole; see Library.LibraryStamp
	Entries map[EntryKey]OwnEntry
	Used    map[EntryKey]Origin // every key that ever stood in the library, by the source that used it first
	Files   LastGood
}

// LastGood is the newest state of the directory of files that was taken.
type LastGood struct {
	At   time.Time `json:"at,omitzero"`
	Hash string    `json:"hash,omitempty"` // of the files, and of what was built in when they were taken
	TOML string    `json:"toml,omitempty"` // all of them as one; empty: none
}
