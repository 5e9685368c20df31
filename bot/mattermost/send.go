package mattermost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"
	"golang.org/x/time/rate"

	"github.com/weerklank/weerklank/bot"
)

// keyProp holds a post's key: opaque and random for what the outbox sends, since members can read it.
const keyProp = "weerklank"

// againWithin is how long after the first try of a post another may begin. With what a call may take, all are over in 25 s: the
// server certainly knows a key for 30, and what still lands after that must be over long before bot.SettleWindow is. None is
// cut off before its own time: it would land later than it needs to.
const (
	againWithin = 10 * time.Second
	againAfter  = time.Second
)

// Post implements bot.Chat.
func (a *Adapter) Post(ctx context.Context, team bot.TeamID, m bot.Message, thread bot.Ref, key string) (bot.Ref, error) {
	p, err := a.build(m, team, key)
	if err != nil {
		return "", err
	}
	p.ChannelId, p.RootId = channelOf(team), string(thread)
	if err := a.upload(ctx, p, m); err != nil {
		return "", err
	}
	return a.create(ctx, a.pace, p, key)
}

// build is render, for a post that this server takes.
func (a *Adapter) build(m bot.Message, team bot.TeamID, key string) (*model.Post, error) {
	p, err := a.render(m, team, key)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if utf8.RuneCountInString(p.Message) > a.longest {
		return nil, errLongPost
	}
	return p, nil
}

// upload puts the pictures of a message on the server, for p. What they show stands in the text: a picture there has no
// words of its own. Where the server takes none, the words do. Nothing is posted yet, so that a failure is simply tried
// again.
func (a *Adapter) upload(ctx context.Context, p *model.Post, m bot.Message) error {
	for i, b := range m.Blocks {
		if b.Kind != bot.BlockPicture {
			continue
		}
		if len(p.FileIds) == maxPictures {
			return errManyPictures
		}
		up, r, err := a.uploads.UploadFile(ctx, b.PNG, p.ChannelId, fmt.Sprintf("weerklank-%d.png", i+1))
		if err := failed(ctx, r, err); err != nil {
			if status(err) == 0 {
				return nothing(err)
			}
			if err = a.ofChannel(ctx, p.ChannelId, err); status(err) == 0 {
				return err
			}
			a.log.Warn("mattermost: the server takes no pictures; the message goes without", "err", err)
			continue
		}
		if len(up.FileInfos) != 1 {
			return nothing(errAmbiguous)
		}
		p.FileIds = append(p.FileIds, up.FileInfos[0].Id)
	}
	return nil
}

// maxPictures is how many files a post takes.
const maxPictures = 10

var errManyPictures = errors.New("mattermost: too many pictures for one post")

// create posts p. The key is the server's own means against doubles for half a minute, unless it restarted: within
// that, and on the same connection, what is unknown is simply tried again.
func (a *Adapter) create(ctx context.Context, pace *rate.Limiter, p *model.Post, key string) (bot.Ref, error) {
	me, err := a.self(ctx)
	if err != nil {
		return "", nothing(err)
	}
	p.PendingPostId = me.Id + ":" + key
	p.AddProp(keyProp, key)
	if err := pace.Wait(ctx); err != nil {
		return "", &bot.RetryError{After: time.Second, Err: err}
	}
	epoch, connected := a.connection()
	unknown := false
	last := time.Now().Add(a.wait.againWithin)
	for {
		made, r, err := a.rest.CreatePost(ctx, p)
		err = failed(ctx, r, err)
		switch {
		case err == nil && made != nil && made.Id != "":
			return bot.Ref(made.Id), nil
		case err == nil, errors.Is(err, errAmbiguous), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			unknown = true
		case !unknown:
			return "", a.refused(ctx, p.ChannelId, err)
		case absent(err): // it restarts, and then knows no keys
			return "", bot.ErrUncertain
		}
		select {
		case <-ctx.Done():
		case <-time.After(a.wait.again):
		}
		if now, _ := a.connection(); ctx.Err() != nil || time.Now().After(last) || !connected || now != epoch {
			return "", bot.ErrUncertain
		}
	}
}

// nothing says that nothing was posted because of err.
func nothing(err error) error {
	var retry *bot.RetryError
	if errors.As(err, &retry) || errors.Is(err, bot.ErrUnauthorised) {
		return err
	}
	return &bot.RetryError{After: restDefault, Err: err}
}

// refused says what it means that the server did not take a post. Archived and too long are both 400, so that the channel
// is looked at.
func (a *Adapter) refused(ctx context.Context, channel string, err error) error {
	if status(err) == http.StatusBadRequest {
		c, r, cerr := a.rest.GetChannel(ctx, channel)
		if cerr := failed(ctx, r, cerr); cerr != nil {
			if cerr = a.ofChannel(ctx, channel, cerr); errors.Is(cerr, bot.ErrGone) {
				return cerr
			}
			return nothing(cerr)
		}
		if c.DeleteAt > 0 {
			return bot.ErrGone
		}
	}
	return a.ofChannel(ctx, channel, err)
}

// connection numbers the connection, and says whether there is one: with another, the server may have restarted and know
// no keys.
func (a *Adapter) connection() (epoch int, connected bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.epoch, a.epoch%2 == 1
}

// Edit implements bot.Editor. The post is built anew: saved back as it was read, its buttons would be dead.
func (a *Adapter) Edit(ctx context.Context, team bot.TeamID, ref bot.Ref, m bot.Message) error {
	old, r, err := a.rest.GetPost(ctx, string(ref), "")
	if err := failed(ctx, r, err); err != nil {
		switch {
		case status(err) == http.StatusBadRequest, status(err) == http.StatusNotFound:
			return bot.ErrNotFound
		case status(err) == 0: // nothing was changed yet
			return nothing(err)
		}
		return a.ofChannel(ctx, channelOf(team), err)
	}
	if _, err := a.self(ctx); err != nil {
		return nothing(err)
	}
	if old.ChannelId != channelOf(team) || !a.ours(old) {
		return bot.ErrNotFound
	}
	key, _ := old.GetProp(keyProp).(string)
	p, err := a.build(m, team, key)
	if err != nil {
		return err
	}
	p.Id, p.ChannelId, p.RootId = old.Id, old.ChannelId, old.RootId
	p.AddProp(keyProp, key)
	p.FileIds = old.FileIds // pictures stay as they were posted
	p.IsPinned, p.HasReactions = old.IsPinned, old.HasReactions
	_, r, err = a.rest.UpdatePost(ctx, p.Id, p)
	err = failed(ctx, r, err)
	switch status(err) {
	case http.StatusNotFound:
		return bot.ErrNotFound
	case http.StatusForbidden: // out of the channel, or the post was deleted meanwhile
		if _, r, gone := a.rest.GetPost(ctx, p.Id, ""); status(failed(ctx, r, gone)) == http.StatusNotFound {
			return bot.ErrNotFound
		}
	}
	return unsure(a.refusedOr(ctx, p.ChannelId, err))
}

func (a *Adapter) refusedOr(ctx context.Context, channel string, err error) error {
	if err == nil {
		return nil
	}
	return a.refused(ctx, channel, err)
}

// unsure turns what may have been done into the port's word for it.
func unsure(err error) error {
	if errors.Is(err, errAmbiguous) {
		return bot.ErrUncertain
	}
	return err
}

// lookBack is how much earlier than an attempt its post may seem to be made: it is on our clock, and clocks are set.
const lookBack = 5 * time.Minute

// page is how many posts or people are asked for at once; the server gives no more.
const page = 200

// Find implements bot.Finder: it looks through the channel for a post of the bot's own with that key.
func (a *Adapter) Find(ctx context.Context, team bot.TeamID, key string, since time.Time) (bot.Ref, error) {
	if _, err := a.self(ctx); err != nil {
		return "", err
	}
	ref, err := a.find(ctx, channelOf(team), key, a.clock.before(since).Add(-lookBack).UnixMilli())
	if refusal(err) {
		return "", bot.ErrUncertain // whether it stands in a channel that the bot cannot read, nobody but a person can say
	}
	return ref, err
}

// find looks for a post of the bot's own with that key, made after a moment. One that somebody took away was posted, and is
// not posted again. ErrUncertain: it does not stand there, and so much happened that it may have been taken away.
func (a *Adapter) find(ctx context.Context, channel, key string, from int64) (bot.Ref, error) {
	posts, whole, err := a.changed(ctx, channel, from)
	if err != nil {
		return "", err
	}
	var ref bot.Ref
	look := func(p *model.Post) {
		if k, _ := p.GetProp(keyProp).(string); k == key && p.OriginalId == "" && a.ours(p) {
			ref = bot.Ref(p.Id)
		}
	}
	for _, p := range posts {
		look(p)
	}
	if ref == "" && !whole {
		err = a.pages(ctx, channel, func(p *model.Post) bool { look(p); return ref == "" && p.CreateAt > from })
	}
	switch {
	case err != nil:
		return "", err
	case ref != "":
		return ref, nil
	case !whole:
		return "", bot.ErrUncertain
	}
	return "", bot.ErrNotFound
}

// Settles implements bot.Finder.
func (a *Adapter) Settles() time.Duration { return bot.SettleWindow }

// errDeactivated says that nobody reads that account any more.
var errDeactivated = errors.New("mattermost: the account is deactivated")

// Direct implements bot.Chat.
func (a *Adapter) Direct(ctx context.Context, to bot.Recipient, m bot.Message, key string) error {
	var id string
	switch to := to.(type) {
	case bot.UserID:
		id = to.Reveal()
	case bot.ActorID:
		id = to.User()
	}
	u, r, err := a.rest.GetUser(ctx, id, "")
	if err := failed(ctx, r, err); err != nil {
		if status(err) == http.StatusNotFound {
			return bot.ErrNotFound
		}
		return nothing(err)
	}
	if u.DeleteAt > 0 {
		return errDeactivated
	}
	me, err := a.self(ctx)
	if err != nil {
		return nothing(err)
	}
	dm, r, err := a.rest.CreateDirectChannel(ctx, me.Id, id)
	if err := failed(ctx, r, err); err != nil {
		if status(err) != 0 {
			return err
		}
		return nothing(err)
	}
	_, err = a.say(ctx, dm.Id, "", m, key)
	if errors.Is(err, bot.ErrGone) { // one conversation: not the channel of a team
		return &statusError{Status: http.StatusForbidden}
	}
	return err
}

// say posts m in a direct conversation.
func (a *Adapter) say(ctx context.Context, dm, root string, m bot.Message, key string) (bot.Ref, error) {
	p, err := a.build(m, "", key)
	if err != nil {
		return "", err
	}
	p.ChannelId, p.RootId = dm, root
	if err := a.upload(ctx, p, m); err != nil {
		return "", err
	}
	return a.create(ctx, a.answers, p, key)
}
