package mattermost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
)

// statusError is what the server answered, without its words: those may hold what somebody typed.
type statusError struct {
	Status int
	ID     string // the server's own name of the error; differs between versions
}

func (e *statusError) Error() string { return fmt.Sprintf("mattermost: status %d %s", e.Status, e.ID) }

// errAmbiguous says that a call may have had its effect.
var errAmbiguous = errors.New("mattermost: no whole answer")

// restDefault is how long a full server is left alone that does not say how long.
const restDefault = 5 * time.Second

// failed judges a call by its status first: ids of errors differ between versions, and a typed nil is no error. what did
// not reach the server, or was refused by a limit, gives a *bot.RetryError; what may have been done, errAmbiguous.
func failed(ctx context.Context, r *model.Response, err error) error {
	status := 0
	if r != nil {
		status = r.StatusCode
	}
	var app *model.AppError
	if errors.As(err, &app) && app == nil {
		err = nil
	}
	switch {
	case err == nil && status < 300:
		return nil
	case status == 0 && ctx.Err() != nil:
		return ctx.Err()
	case status == 0 && notSent(err):
		return &bot.RetryError{After: restDefault, Err: errAbsent}
	case status == 0, status >= 500 && status != http.StatusNotImplemented, status < 300:
		return errAmbiguous
	case status == http.StatusTooManyRequests:
		return &bot.RetryError{After: after(r.Header), Err: &statusError{Status: status}}
	case status == http.StatusUnauthorized:
		return bot.ErrUnauthorised
	}
	if app == nil { // a page of something in front of the server says nothing about a channel or a post
		return &bot.RetryError{After: restDefault, Err: &statusError{Status: status}}
	}
	return &statusError{Status: status, ID: app.Id}
}

// errAbsent says that no server listens.
var errAbsent = errors.New("mattermost: the server is not there")

func absent(err error) bool { return errors.Is(err, errAbsent) }

// notSent says that a call never left: nobody listened, or the name has no address.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// after is how long a limit wants us to wait, at least a moment and never longer than a minute.
func after(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After", "X-Ratelimit-Reset"} {
		if s, err := strconv.Atoi(h.Get(name)); err == nil && s >= 0 {
			return min(max(time.Duration(s)*time.Second, 200*time.Millisecond), time.Minute)
		}
	}
	return restDefault
}

// status is the status of a server's final answer, or zero: what is to be tried again has none.
func status(err error) int {
	if _, again := errors.AsType[*bot.RetryError](err); again {
		return 0
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		return e.Status
	}
	return 0
}

// refusal says whether the server will not show something to the bot, now or later.
func refusal(err error) bool {
	switch status(err) {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

// ofChannel says what an error means that is about one channel. 403 is the answer when the bot is not in it, and also when
// something is switched off there or for everybody: only who is not in it any more finds it gone.
func (a *Adapter) ofChannel(ctx context.Context, channel string, err error) error {
	if code := status(err); code != http.StatusForbidden && code != http.StatusNotFound {
		return err
	}
	me, e := a.self(ctx)
	if e != nil {
		return nothing(e)
	}
	switch in, e := a.inside(ctx, channel, me.Id); {
	case e != nil:
		return nothing(e)
	case !in:
		return bot.ErrGone
	}
	return err
}
