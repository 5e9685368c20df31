package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// UserID is a member for the length of one event. It refuses to be printed, logged or stored: fmt, slog and JSON all
// give a mark instead of the account. Adapters get the account back with Reveal.
type UserID struct {
	platform, workspace, user string
}

// Account makes the UserID of a person: user as the platform knows them, in the given workspace.
func Account(platform, workspace, user string) UserID {
	return UserID{platform: platform, workspace: workspace, user: user}
}

// Reveal returns the platform's own ID of the person. It is for adapters, at the moment they talk to the platform.
func (u UserID) Reveal() string { return u.user }

// Actor is the person as manager or editor. It is used only after a right was checked, because an ActorID may be
// stored (in a team and in the audit log) and a UserID may not.
func (u UserID) Actor() ActorID { return ActorID(u.platform + ":" + u.user) }

// IsZero says whether u names nobody.
func (u UserID) IsZero() bool { return u == UserID{} }

const hidden = "[account]"

// Format prints a mark for every verb.
func (u UserID) Format(s fmt.State, _ rune) { fmt.Fprint(s, hidden) }

// LogValue logs a mark.
func (u UserID) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON refuses: an account is never stored.
func (u UserID) MarshalJSON() ([]byte, error) {
	return nil, errors.New("bot: an account is never stored")
}

// MarshalText refuses: an account is never stored.
func (u UserID) MarshalText() ([]byte, error) {
	return nil, errors.New("bot: an account is never stored")
}

// ActorID is a manager or library editor, "slack:U…" or "workspace:…". Only a Team, the audit log
// and the history of the library hold one.
type ActorID string

// Platform returns the part before the colon.
func (a ActorID) Platform() string { p, _, _ := strings.Cut(string(a), ":"); return p }

// User returns the platform's own ID of the actor.
func (a ActorID) User() string { _, u, _ := strings.Cut(string(a), ":"); return u }

// LogValue logs a mark: logs hold no accounts, not even a manager's.
func (a ActorID) LogValue() slog.Value { return slog.StringValue(hidden) }

// Recipient is who a private message goes to: the UserID of the event being handled, or an ActorID who asked for it.
type Recipient interface{ recipient() }

func (UserID) recipient()  {}
func (ActorID) recipient() {}

// ReplyText is what a member wrote. Every formatter prints a mark, so that a stray log line or panic shows none of it.
type ReplyText string

const hiddenText = "[reply]"

// Format prints a mark for every verb.
func (t ReplyText) Format(s fmt.State, _ rune) { fmt.Fprint(s, hiddenText) }

// LogValue logs a mark.
func (t ReplyText) LogValue() slog.Value { return slog.StringValue(hiddenText) }

// MarshalJSON gives a mark: a reply is stored sealed or not at all.
func (t ReplyText) MarshalJSON() ([]byte, error) { return json.Marshal(hiddenText) }
