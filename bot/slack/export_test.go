package slack

import (
	"context"
	"time"
)

// Self asks who the bot is, as the first call of Run does.
func (a *Adapter) Self(ctx context.Context) (string, error) {
	me, err := a.self(ctx)
	if err != nil {
		return "", err
	}
	return me.UserID, nil
}

// Tempo is how long an adapter waits for things.
type Tempo struct {
	Again    time.Duration // before what failed is tried again, at first
	SignIn   time.Duration // before a token is tried again that was not taken
	CallTime time.Duration // of a call
	Within   time.Duration // before what is not handled yet is acknowledged
}

// Hurry changes how long it waits, before it is used; zero: as it was.
func (a *Adapter) Hurry(t Tempo) {
	if t.Again > 0 {
		a.again = t.Again
	}
	if t.SignIn > 0 {
		a.signIn = t.SignIn
	}
	if t.Within > 0 {
		a.intake.within = t.Within
	}
	if t.CallTime > 0 {
		a.wire.plain.Transport.(*carrier).timeout = t.CallTime
	}
}

// Plain is how many messages were sent without blocks, since Slack did not take those.
func (a *Adapter) Plain() int64 { return a.plain.Load() }

// Unpaced lets an adapter say as much as it likes.
func (a *Adapter) Unpaced() { a.wire.pace.unpaced = true }

// Forget is what an event about a channel's members does.
func (a *Adapter) Forget(channel string) { a.people.forget(channel) }
