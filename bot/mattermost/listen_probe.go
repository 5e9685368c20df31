package mattermost

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// probeField is the field under whose name a probe is answered: the server hands that back to who sent it in.
const probeField = "probe"

// Probe lets the server submit a dialog to our own listener, and says whether it came back. It needs no memory but the
// secret, so that it may be asked by another process than the one that listens.
func (a *Adapter) Probe(ctx context.Context) error {
	l := a.calls
	if l.sign == nil {
		return errors.New("mattermost: there is no callback_url")
	}
	all, err := a.channels(ctx)
	if err != nil {
		return err
	}
	me, err := a.self(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(c *model.Channel) bool { return c.TeamId != "" && c.DeleteAt == 0 })
	if i < 0 {
		return ErrNoChannel
	}
	p := probe{Version: signVersion, Nonce: rand.Text(), Until: l.now().Add(probeLife).Unix()}
	back, r, err := a.rest.SubmitInteractiveDialog(ctx, model.SubmitDialogRequest{
		URL: l.base + "/probe", CallbackId: "weerklank", State: l.sign.signProbe(p), UserId: me.Id, ChannelId: all[i].Id, TeamId: all[i].TeamId,
		Submission: map[string]any{},
	})
	if err := failed(ctx, r, err); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreached, err)
	}
	if subtle.ConstantTimeCompare([]byte(back.Errors[probeField]), []byte(l.sign.answered(p.Nonce))) != 1 {
		return ErrUnreached
	}
	return nil
}

var (
	// ErrUnreached says that the server cannot call our listener, or that something else answered there.
	ErrUnreached = errors.New("mattermost: the server does not reach the callback listener")
	// ErrNoChannel says that the bot is in no channel by which the round trip could be made.
	ErrNoChannel = errors.New("mattermost: the bot is in no channel yet")
)

// probed answers a probe, once.
func (l *callbacks) probed(w http.ResponseWriter, body []byte, start time.Time) {
	var s model.SubmitDialogRequest
	if json.Unmarshal(body, &s) != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	p, err := l.sign.readProbe(s.State, start)
	if err != nil {
		l.forged(w)
		return
	}
	n := l.nonce("probe:"+p.Nonce, time.Unix(p.Until, 0))
	if n == nil {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.spent {
		l.forged(w)
		return
	}
	n.spent = true
	answerJSON(w, model.SubmitDialogResponse{Errors: map[string]string{probeField: l.sign.answered(p.Nonce)}})
}

// Reached says whether the server reaches the callback listener. tried is false until the round trip was made.
func (a *Adapter) Reached() (reached, tried bool) { return a.calls.open(), a.calls.tried.Load() }

// How often the round trip is made: soon again while the server does not reach us.
const (
	probeEvery = 15 * time.Minute
	probeAgain = time.Minute
)

// watch makes the round trip until ctx ends. Where the server does not reach the listener no buttons are posted, and words
// are named instead.
func (l *callbacks) watch(ctx context.Context) {
	if l.sign == nil {
		return
	}
	for {
		wait := probeEvery
		err := l.a.Probe(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrUnreached):
			if !l.closed.Swap(true) {
				l.a.log.Warn("mattermost: the server does not reach the callback listener; no buttons until it does", "next", "weerklank doctor --online")
			}
			wait = probeAgain
		case err != nil: // it cannot be told now
			wait = probeAgain
		case l.closed.Swap(false):
			l.a.log.Info("mattermost: the server reaches the callback listener again")
		}
		if err == nil || errors.Is(err, ErrUnreached) {
			l.tried.Store(true)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
