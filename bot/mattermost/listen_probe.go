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

// SetCallbacks says whether the server reaches the listener; until told otherwise it is taken to. Where it does not, no
// buttons are posted, and words are named instead.
func (a *Adapter) SetCallbacks(reached bool) { a.calls.closed.Store(!reached) }
