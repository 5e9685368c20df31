package bot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// Options are the parts and the policy a Bot is built from.
type Options struct {
	Store   Store
	Keys    Keys
	Chats   []Chat
	Log     *slog.Logger
	Library prompts.Library // the built-in one; the store adds the organisation's own

	Team         Settings // what a team gets when it is switched on
	Activation   string   // "direct" or "announced"
	Limits       Limits
	KeepDays     int    // days a shared reply is kept after closing: 14 to 365
	PublicSector bool   // ask for works council and privacy officer when switching on
	Term         string // what the craft is called: "vakmanschap"
	Managers     []ActorID
	Editors      []ActorID
}

// Limits are the operator's floors for what managers may choose.
type Limits struct {
	MinReplies int // never below 3
	MinMembers int // never below 6
}

// Bot is the use cases with their parts.
type Bot struct {
	o Options
}

// New checks that every required part is there.
func New(o Options) (*Bot, error) {
	if o.Store == nil || o.Keys == nil || o.Log == nil || len(o.Chats) == 0 {
		return nil, errors.New("bot: store, keys, log and at least one chat are required")
	}
	return &Bot{o: o}, nil
}

// Run plans, posts, closes and gives back, and handles events, until ctx ends.
func (b *Bot) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Handle handles one event and returns the answer to its sender.
func (b *Bot) Handle(ctx context.Context, e Event) (Response, error) { return Response{}, nil }

// Step does everything that is due at now: opens, reminds, closes, gives back. It returns the next due moment, zero if
// there is none. What must be said is only queued.
func (b *Bot) Step(ctx context.Context, now time.Time) (time.Time, error) { return time.Time{}, nil }

// Send carries the queued posts that may leave at now, and returns when the next one may; zero if there is none.
func (b *Bot) Send(ctx context.Context, now time.Time) (time.Time, error) { return time.Time{}, nil }

// Advance brings a team's next step forward to now: an open round closes and is given back; otherwise the next round
// opens. It is for trying the product out (`weerklank demo`); no manager can close a round early.
func (b *Bot) Advance(ctx context.Context, team TeamID, now time.Time) error { return nil }
