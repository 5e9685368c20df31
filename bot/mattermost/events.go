package mattermost

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
)

const (
	handleTime  = 8 * time.Second // bounds one event; below the time that a clean end of the program may take
	handleAgain = 2 * time.Second // before the next try of one that failed
)

// job is one thing that a person said, to be handled.
type job struct {
	post    *model.Post
	at      int64 // version: when it was posted, edited or deleted, in the server's milliseconds
	deleted bool
	known   bool   // that it was said in a direct conversation
	again   bool   // it may be what was handled before: pinning a message tells that it was edited
	lost    int64  // deleted, and the server did not say when yet: when that was heard
	command string // in a channel: what was said to the bot
	tries   int
	under   []*job // what was deleted with it: the answers in its thread, of which no event tells

	heard  bool         // the bot has handled it
	answer *bot.Message // what it said to that, until it stands there
}

// key names one version of one message; a redelivery has the same.
func (j *job) key() string {
	if j.lost > 0 {
		return j.post.Id + ":lost"
	}
	return j.post.Id + ":" + strconv.FormatInt(j.at, 10)
}

// answerKey is what the answer to an event carries, so that it is not given twice. It stands in the writer's own
// conversation only.
func answerKey(key string) string {
	sum := sha256.Sum256([]byte("answer " + key))
	return hex.EncodeToString(sum[:16])
}

// versionOf is when a message got the words it has. Its update_at also moves when somebody reacts or answers in a thread.
func versionOf(p *model.Post) int64 { return max(p.CreateAt, p.EditAt, p.DeleteAt) }

// personal says whether a post is something that a person wrote as it stands: not the bot's, no line of the system, not
// an older version, and not what another integration says under a person's account: a hook or another's command posts as
// whoever made or gave it, with a mark that the server sets. Who sets such a mark on a message of their own is not heard.
func (a *Adapter) personal(p *model.Post) bool {
	for _, mark := range []string{model.PostPropsFromWebhook, model.PostPropsFromBot, model.PostPropsFromPlugin} {
		if p.GetProp(mark) != nil && p.DeleteAt == 0 {
			return false
		}
	}
	return p.Id != "" && p.UserId != "" && p.Type == "" && p.OriginalId == "" && !a.ours(p)
}

// event deals with one event of the socket.
func (a *Adapter) event(ctx context.Context, h bot.Handler, lanes *lanes, e *model.WebSocketEvent) {
	str := func(name string) string { s, _ := e.GetData()[name].(string); return s }
	switch e.EventType() {
	case model.WebsocketEventPosted, model.WebsocketEventPostEdited, model.WebsocketEventPostDeleted:
		var p model.Post
		if json.Unmarshal([]byte(str("post")), &p) != nil || !a.personal(&p) {
			return
		}
		j := &job{post: &p, at: versionOf(&p), again: e.EventType() == model.WebsocketEventPostEdited}
		switch e.EventType() {
		case model.WebsocketEventPostDeleted: // it carries the old words, and no time
			j.deleted, j.lost = true, max(a.now().UnixMilli(), j.at+1)
			p.Message = ""
		case model.WebsocketEventPosted:
			j.known = true
			if kind := str("channel_type"); kind != string(model.ChannelTypeDirect) {
				a.share(p.ChannelId)
				a.mention(ctx, h, lanes, j, kind, str("mentions"))
				return
			}
		}
		a.accept(ctx, h, lanes, j)
	case model.WebsocketEventUserAdded, model.WebsocketEventUserRemoved:
		channel := cmp.Or(e.GetBroadcast().ChannelId, str("channel_id"))
		a.forget(channel)
		me, err := a.self(ctx)
		who := cmp.Or(str("user_id"), e.GetBroadcast().UserId)
		switch {
		case err != nil || who != me.Id:
		case e.EventType() == model.WebsocketEventUserRemoved:
			a.channelGone(ctx, h, lanes, channel, a.now())
		default:
			a.invited(ctx, h, lanes, channel, nil)
		}
	case model.WebsocketEventChannelDeleted:
		channel := cmp.Or(str("channel_id"), e.GetBroadcast().ChannelId)
		a.forget(channel)
		at := a.now()
		if ms, ok := e.GetData()["delete_at"].(float64); ok && ms > 0 {
			at = time.UnixMilli(int64(ms))
		}
		a.channelGone(ctx, h, lanes, channel, at)
	}
}

// channelGone tells that the bot is out of a channel, until that is heard. After a restart it is not told again: what is
// sent there later fails the same way.
func (a *Adapter) channelGone(ctx context.Context, h bot.Handler, lanes *lanes, channel string, at time.Time) {
	if channel == "" {
		return
	}
	e := bot.ChannelGone{Key: "gone:" + channel + ":" + strconv.FormatInt(at.UnixMilli(), 10), Team: teamOf(channel), At: at}
	a.tell(ctx, h, lanes, channel, func(context.Context, int) (bot.Event, error) { return e, nil })
}

// tell tells something about a channel until it is heard, after what was told of that channel before. No event: there is
// nothing to tell.
func (a *Adapter) tell(ctx context.Context, h bot.Handler, lanes *lanes, channel string, event func(ctx context.Context, tries int) (bot.Event, error)) {
	once := func(tries int) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleTime)
		defer cancel()
		e, err := event(ctx, tries)
		if err == nil && e != nil {
			_, err = h(ctx, e)
		}
		if i, ok := e.(bot.Invited); ok && err == nil {
			a.track.end(i.Key)
		}
		return err
	}
	lanes.do("about "+channel, func() {
		for tries := 0; ctx.Err() == nil; tries++ {
			err := once(tries)
			if err == nil {
				return
			}
			if tries >= joinTries {
				a.log.Warn("mattermost: what became of a channel waits to be handled", "err", err)
			}
			lanes.rest(ctx, a.again(tries))
		}
	})
}

const (
	joinTries = 3           // how often it is looked for who added the bot to a channel, and what goes wrong before it is logged
	lineTime  = time.Minute // how much older that line may seem to be than the event
)

// invited tells that the bot was added to a channel, and by whom if a line p of the system says so; nil: it is looked for,
// since the line comes a moment after the event. In the channels that everybody of a team is put in nobody asked for it.
func (a *Adapter) invited(ctx context.Context, h bot.Handler, lanes *lanes, channel string, p *model.Post) {
	heard, begun := a.now().UnixMilli(), false
	a.tell(ctx, h, lanes, channel, func(ctx context.Context, tries int) (bot.Event, error) {
		c, r, err := a.rest.GetChannel(ctx, channel)
		if err := failed(ctx, r, err); err != nil {
			if refusal(err) && tries >= refusals {
				return nil, nil
			}
			return nil, err
		}
		if !ofTeam(c) || isDefault(c) {
			return nil, nil
		}
		if p == nil {
			if p, err = a.joined(ctx, channel, heard-lineTime.Milliseconds()); err != nil {
				return nil, err
			}
		}
		if p == nil && tries < joinTries {
			return nil, errors.New("mattermost: the server does not say yet who added the bot")
		}
		f := bot.From{Key: "invited:" + channel + ":" + strconv.FormatInt(heard, 10), At: time.UnixMilli(heard)}
		if p != nil {
			f.Key, f.At = joinKey(p), time.UnixMilli(p.CreateAt)
			u, err := a.person(ctx, p.UserId)
			if err != nil && !refusal(err) {
				return nil, err
			}
			if err == nil && !u.IsBot {
				f = from(u, f.Key, p.CreateAt)
			}
		}
		f.Team, f.Chan = teamOf(c.Id), c.DisplayName
		if !begun && !a.track.begin(f.Key, f.At.UnixMilli()) { // it was told
			return nil, nil
		}
		begun = true
		return bot.Invited{From: f}, nil
	})
}

// joined finds the line of the system that says that the bot was added to a channel, among the latest since a moment; nil:
// none does that was not told yet.
func (a *Adapter) joined(ctx context.Context, channel string, since int64) (line *model.Post, err error) {
	n := 0
	err = a.pages(ctx, channel, func(p *model.Post) bool {
		if n++; p.CreateAt > since && a.joins(p) && !a.track.knows(joinKey(p)) {
			line = p
		}
		return line == nil && n < page && p.CreateAt > since
	})
	return line, err
}

func joinKey(line *model.Post) string { return "invited:" + line.Id }

// joins says whether a post is the line of the system that the bot came into a channel: somebody added it, or an admin did
// by another way, and then it is said to have joined. Who is not the system cannot write such lines.
func (a *Adapter) joins(p *model.Post) bool {
	switch p.Type {
	case model.PostTypeAddToChannel:
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.me != nil && p.GetProp(model.PostPropsAddedUserId) == a.me.Id
	case model.PostTypeJoinChannel:
		return a.ours(p)
	}
	return false
}

// ofTeam says whether a channel is one of a team's, no conversation.
func ofTeam(c *model.Channel) bool {
	return c.Type == model.ChannelTypeOpen || c.Type == model.ChannelTypePrivate
}

// again is how long something waits that failed after so many tries.
func (a *Adapter) again(tries int) time.Duration {
	return min(a.wait.handle<<min(tries, 6), a.wait.handleLongest)
}

// mention hears what is said to the bot in a channel.
func (a *Adapter) mention(ctx context.Context, h bot.Handler, lanes *lanes, j *job, kind, mentions string) {
	if !ofTeam(&model.Channel{Type: model.ChannelType(kind)}) {
		return
	}
	me, err := a.self(ctx)
	var all []string
	if err != nil || json.Unmarshal([]byte(mentions), &all) != nil || !slices.Contains(all, me.Id) {
		return
	}
	text, ok := addressed(j.post.Message, "@"+me.Username)
	if !ok { // talked about, not to
		return
	}
	j.command = cmp.Or(text, "help")
	a.accept(ctx, h, lanes, j)
}

// called returns what was said to the bot in a channel since a moment, oldest first, and the line that it was added there.
func (a *Adapter) called(ctx context.Context, channel string, since int64) (jobs []*job, joined *model.Post, err error) {
	me, err := a.self(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, r, err := a.rest.GetPostsSince(ctx, channel, since, false)
	if err := failed(ctx, r, err); err != nil {
		return nil, nil, err
	}
	posts := list.Posts
	if len(list.Order) >= sinceLimit {
		clear(posts)
		err = a.pages(ctx, channel, func(p *model.Post) bool { posts[p.Id] = p; return p.CreateAt > since })
		if err != nil {
			return nil, nil, err
		}
	}
	for _, p := range posts {
		if p.CreateAt <= since || p.DeleteAt > 0 {
			continue
		}
		if a.joins(p) && (joined == nil || p.CreateAt > joined.CreateAt) {
			joined = p
		}
		if text, ok := addressed(p.Message, "@"+me.Username); ok && a.personal(p) {
			jobs = append(jobs, &job{post: p, at: p.CreateAt, known: true, again: true, command: cmp.Or(text, "help")})
		}
	}
	inOrder(jobs)
	return jobs, joined, nil
}

// inOrder puts the oldest first.
func inOrder(jobs []*job) {
	slices.SortFunc(jobs, func(x, y *job) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.post.Id, y.post.Id)) })
}

// addressed cuts the name that somebody addresses the bot by off what they typed.
func addressed(text, name string) (rest string, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) < len(name) || !strings.EqualFold(text[:len(name)], name) {
		return "", false
	}
	rest = text[len(name):]
	if next, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(next) && next != ',' && next != ':' {
		return "", false
	}
	return strings.TrimSpace(strings.TrimLeft(rest, ",:")), true
}

// accept queues a job behind what else is said in that conversation.
func (a *Adapter) accept(ctx context.Context, h bot.Handler, lanes *lanes, j *job) {
	if a.track.behind(behindKey(j.post.ChannelId)) || !a.track.begin(j.key(), j.at) {
		return // it is read with what was missed there; or it is being handled, or was
	}
	lanes.do(j.post.ChannelId, func() { a.work(ctx, h, lanes, j) })
}

// work handles a job, or tries again later what failed: nothing that was said is lost, and nothing else waits for it.
func (a *Adapter) work(ctx context.Context, h bot.Handler, lanes *lanes, j *job) {
	if ctx.Err() != nil {
		return // the mark stays before it: it is caught up with after the next start
	}
	err := a.handle(ctx, h, j)
	if err == nil {
		for _, u := range j.under {
			a.accept(ctx, h, lanes, u)
		}
		return
	}
	a.track.hampered(err)
	wait := a.again(j.tries)
	j.tries++
	lanes.later(ctx, wait, j.post.ChannelId, func() { a.work(ctx, h, lanes, j) })
}

// tellTrouble logs what messages waited for since it was asked last.
func (a *Adapter) tellTrouble() {
	if err := a.track.trouble(); err != nil {
		a.log.Warn("mattermost: some messages had to wait, or still do", "err", err)
	}
}

// refusals is how often a server may refuse what must be asked of it around a job, before that is believed: what somebody
// said is not dropped for one answer.
const refusals = 8

// handle hands one job to the bot and gives the answer.
func (a *Adapter) handle(ctx context.Context, h bot.Handler, j *job) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleTime) // what was begun is ended also when we stop
	defer cancel()
	err := a.hear(ctx, h, j)
	if err == nil && j.answer != nil {
		err = a.answer(ctx, j, *j.answer)
	}
	if err == nil || refusal(err) && j.tries >= refusals { // nobody is there to hear, or to be heard
		a.track.end(j.key())
		return nil
	}
	return err
}

// hear lets the bot handle a job, once.
func (a *Adapter) hear(ctx context.Context, h bot.Handler, j *job) error {
	if j.heard {
		return nil
	}
	direct, err := a.direct(ctx, j)
	if err != nil || !direct && j.command == "" { // somebody changed what they said to others
		return err
	}
	u, err := a.person(ctx, j.post.UserId)
	if err != nil || u.IsBot {
		return err
	}
	if j.lost > 0 {
		if news, err := a.whenDeleted(ctx, j); err != nil || !news {
			return err
		}
	}
	if j.again {
		if stands, err := a.stands(ctx, j, answerKey(j.key())); err != nil || stands {
			return err
		}
	}
	f := from(u, j.key(), j.at)
	f.Typed = true // a dialog opens only for who pressed a button or gave the slash command
	var e bot.Event = bot.DirectReply{From: f, Text: bot.ReplyText(j.post.Message), Message: j.post.Id, Edited: j.post.EditAt > 0}
	switch {
	case j.command != "":
		c, r, err := a.rest.GetChannel(ctx, j.post.ChannelId)
		if err := failed(ctx, r, err); err != nil {
			return err
		}
		f.Team, f.Chan = teamOf(c.Id), c.DisplayName
		e = bot.Command{From: f, Text: j.command}
	case j.deleted:
		e = bot.ReplyWithdrawn{From: f, Message: j.post.Id}
	}
	r, err := h(ctx, e)
	if err != nil {
		return fmt.Errorf("handling: %v", err) // not wrapped: it is not about this message
	}
	j.heard, j.answer = true, r.Message
	return nil
}

// direct says whether something was said in a direct conversation with the bot. Events of edits and deletions do not tell;
// of the channels only those are remembered that are no conversation with one person.
func (a *Adapter) direct(ctx context.Context, j *job) (bool, error) {
	a.mu.Lock()
	shared := a.shared[j.post.ChannelId]
	a.mu.Unlock()
	if shared || j.known {
		return !shared, nil
	}
	c, r, err := a.rest.GetChannel(ctx, j.post.ChannelId)
	if err := failed(ctx, r, err); err != nil {
		return false, err
	}
	if c.Type != model.ChannelTypeDirect {
		a.share(c.Id)
	}
	return c.Type == model.ChannelTypeDirect, nil
}

// share remembers that a channel is no conversation with one person.
func (a *Adapter) share(channel string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shared[channel] = true
}

// answer gives the answer to what somebody said: in their conversation with the bot, also to what they said in a channel,
// since it may be for their eyes only and a plain bot can show nothing to one person there.
func (a *Adapter) answer(ctx context.Context, j *job, m bot.Message) error {
	key := answerKey(j.key())
	if j.tries > 0 { // what was unknown a moment ago may stand there by now
		if stands, err := a.stands(ctx, j, key); err != nil || stands {
			return err
		}
	}
	var err error
	if j.command != "" {
		err = a.Direct(ctx, bot.Account(Platform, "", j.post.UserId), m, key)
	} else {
		_, err = a.say(ctx, j.post.ChannelId, j.post.RootId, m, key)
		if status(err) == http.StatusBadRequest && j.post.RootId != "" { // the thread was taken away
			_, err = a.say(ctx, j.post.ChannelId, "", m, key)
		}
	}
	if refusal(err) || errors.Is(err, bot.ErrGone) || errors.Is(err, bot.ErrNotFound) || errors.Is(err, errDeactivated) {
		return nil // nobody is there to read it
	}
	if errors.Is(err, errLongPost) || errors.Is(err, errEmptyPost) || errors.Is(err, errManyPictures) { // the same at every try
		a.track.hampered(err)
		return nil
	}
	return err
}

// stands says whether the answer to a job stands in the writer's conversation with the bot.
func (a *Adapter) stands(ctx context.Context, j *job, key string) (bool, error) {
	channel := j.post.ChannelId
	if j.command != "" {
		me, err := a.self(ctx)
		if err != nil {
			return false, err
		}
		c, r, err := a.rest.CreateDirectChannel(ctx, me.Id, j.post.UserId)
		if err := failed(ctx, r, err); err != nil {
			return false, err
		}
		channel = c.Id
	}
	_, err := a.find(ctx, channel, key, j.at-1)
	if errors.Is(err, bot.ErrNotFound) || errors.Is(err, bot.ErrUncertain) { // at most it was taken away again
		return false, nil
	}
	return err == nil, err
}

// lostTries is how often the server is asked when a message was deleted, before it is taken to be when that was heard. A
// copy of its database may be behind, and of what is deleted for good nothing is left to ask for.
const lostTries = 4

// whenDeleted finds the time at which a message was deleted: the event does not tell, and it is the deletion's version. It
// says whether that is news.
func (a *Adapter) whenDeleted(ctx context.Context, j *job) (bool, error) {
	posts, _, err := a.changed(ctx, j.post.ChannelId, max(j.post.UpdateAt, versionOf(j.post))-1)
	if err != nil {
		return false, err
	}
	heard, was := j.lost, j.key()
	at := heard
	if p := posts[j.post.Id]; p != nil && p.DeleteAt > 0 {
		at = p.DeleteAt
	} else if j.tries < lostTries {
		return false, errors.New("mattermost: the server does not say yet when it was deleted")
	}
	for _, p := range posts {
		if p.RootId == j.post.Id && p.DeleteAt > 0 && a.personal(p) {
			j.under = append(j.under, &job{post: p, at: versionOf(p), deleted: true, known: true})
		}
	}
	inOrder(j.under)
	before := j.at
	j.at, j.lost = at, 0
	if !a.track.begin(j.key(), j.at) { // it was caught up with
		j.at, j.lost = before, heard
		return false, nil
	}
	a.track.end(was)
	return true, nil
}

// ---- catching up

// overlap is how much before the mark is asked for again: requests that ran side by side may have ended in another order.
const overlap = 2 * time.Minute

// sinceLimit is how many rows the server gives of what changed, then without order.
const sinceLimit = 1000

// catchUp hands over what was said, edited and deleted in private since the mark, and said to the bot in channels,
// conversation by conversation, each in the order in which it happened, and returns when all of it was handled or waits for
// another try. It asks by time, never by person: a mark for each conversation would say who wrote when. over says why the
// connection ended, if it did.
func (a *Adapter) catchUp(ctx context.Context, h bot.Handler, lanes *lanes, over func() error) error {
	mark, err := a.c.Mark(ctx)
	if err != nil {
		return err
	}
	now := a.now()
	if mark.IsZero() { // nothing was ever handled
		if err := a.present(ctx, h, lanes); err != nil {
			return err
		}
		if err := a.c.SetMark(ctx, now); err != nil {
			return err
		}
		a.track.start(now.UnixMilli())
		a.track.caughtUp(now.UnixMilli())
		return nil
	}
	if mark.After(now) { // the server's clock was set back: what was said since seems to be older
		mark = now
	}
	a.track.start(mark.UnixMilli())
	since := mark.Add(-overlap)
	open, err := a.c.OpenSince(ctx)
	if err != nil {
		return err
	}
	oldest := since.UnixMilli()
	if !open.IsZero() {
		oldest = min(oldest, a.clock.before(open).Add(-overlap).UnixMilli())
	}
	all, err := a.channels(ctx)
	if err != nil {
		return err
	}
	var done sync.WaitGroup
	var behind error
	for _, c := range all {
		// A conversation's last_post_at does not move when something is edited or deleted: what was written since the
		// oldest open round opened may still be changed.
		var missed func() ([]*job, error)
		switch {
		case c.Type == model.ChannelTypeDirect && c.LastPostAt >= oldest:
			missed = func() ([]*job, error) { return a.missed(ctx, c.Id, since.UnixMilli(), oldest) }
		case ofTeam(c) && c.DeleteAt == 0 && c.LastPostAt >= since.UnixMilli():
			missed = func() ([]*job, error) {
				jobs, joined, err := a.called(ctx, c.Id, since.UnixMilli())
				if joined != nil {
					a.invited(ctx, h, lanes, c.Id, joined)
				}
				return jobs, err
			}
		}
		if missed == nil || a.track.behind(behindKey(c.Id)) { // comeBack reads it
			continue
		}
		jobs, err := missed()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, bot.ErrUnauthorised) || absent(err): // it is not about this conversation
			return err
		case err != nil && over() != nil:
			return over()
		case err != nil:
			behind = err
			a.comeBack(ctx, h, lanes, c.Id, mark.UnixMilli(), missed)
			continue
		}
		for _, j := range jobs {
			if !a.track.begin(j.key(), j.at) {
				continue
			}
			done.Add(1)
			lanes.do(c.Id, func() {
				defer done.Done()
				a.work(ctx, h, lanes, j)
			})
		}
	}
	if behind != nil {
		a.log.Warn("mattermost: not every conversation can be caught up with yet", "err", behind)
	}
	done.Wait()
	if ctx.Err() == nil {
		a.track.caughtUp(now.UnixMilli())
	}
	return ctx.Err()
}

// present tells, at the very first start, of the channels that the bot was added to before there was anybody to hear it.
func (a *Adapter) present(ctx context.Context, h bot.Handler, lanes *lanes) error {
	all, err := a.channels(ctx)
	if err != nil {
		return err
	}
	var told sync.WaitGroup
	for _, c := range all {
		if !ofTeam(c) || c.DeleteAt > 0 {
			continue
		}
		joined, err := a.joined(ctx, c.Id, 0)
		if err != nil && !refusal(err) {
			return err
		}
		if joined != nil {
			a.invited(ctx, h, lanes, c.Id, joined)
			told.Add(1)
			lanes.do("about "+c.Id, told.Done)
		}
	}
	// After a restart nobody is introduced any more: it waits for that, and not for ever.
	done := make(chan struct{})
	go func() { told.Wait(); close(done) }()
	enough := time.NewTimer(handleTime)
	defer enough.Stop()
	select {
	case <-done:
	case <-enough.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func behindKey(channel string) string { return channel + ":behind" }

// comeBack catches up with a conversation that cannot be read now. What is said there later waits for it; the others and
// the start of the program do not. Until then the mark stays where it is.
func (a *Adapter) comeBack(ctx context.Context, h bot.Handler, lanes *lanes, channel string, mark int64, missed func() ([]*job, error)) {
	a.track.begin(behindKey(channel), mark+1)
	lanes.do(channel, func() {
		var jobs []*job
		for tries := 0; ; tries++ {
			lanes.rest(ctx, a.again(tries))
			if ctx.Err() != nil {
				return
			}
			a.track.read(behindKey(channel))
			more, err := missed()
			if err != nil && !(refusal(err) && tries >= refusals) {
				continue
			}
			for _, j := range more {
				if a.track.begin(j.key(), j.at) {
					jobs = append(jobs, j)
				}
			}
			if a.track.drop(behindKey(channel)) {
				break
			}
		}
		inOrder(jobs)
		for _, j := range jobs {
			a.work(ctx, h, lanes, j)
		}
	})
}

// changed returns what was said, edited or deleted in a channel since a moment, older versions included. Of more than a
// thousand rows the server gives any, in practice those that changed first, so that it is asked again from there on. whole
// is false if that was needed: something may be missing then.
func (a *Adapter) changed(ctx context.Context, channel string, since int64) (posts map[string]*model.Post, whole bool, err error) {
	posts, whole = map[string]*model.Post{}, true
	for {
		list, r, err := a.rest.GetPostsSince(ctx, channel, since, false)
		if err := failed(ctx, r, err); err != nil {
			return nil, false, err
		}
		last := since
		for _, p := range list.Posts {
			posts[p.Id] = p
			last = max(last, p.UpdateAt-1) // more may have changed in the same millisecond
		}
		if len(list.Order) < sinceLimit {
			return posts, whole, nil
		}
		whole = false
		if last == since {
			return posts, whole, nil
		}
		since = last
	}
}

// pages goes through what stands in a channel, newest first, until more says no.
func (a *Adapter) pages(ctx context.Context, channel string, more func(*model.Post) bool) error {
	for n := 0; ; n++ {
		list, r, err := a.rest.GetPostsForChannel(ctx, channel, n, page, "", false, false)
		if err := failed(ctx, r, err); err != nil {
			return err
		}
		for _, id := range list.Order {
			if !more(list.Posts[id]) {
				return nil
			}
		}
		if len(list.Order) < page {
			return nil
		}
	}
}

// missed returns what happened in a conversation since a moment and has no answer yet, oldest first. oldest is since when
// anything could be said that may still be changed.
func (a *Adapter) missed(ctx context.Context, channel string, since, oldest int64) ([]*job, error) {
	posts, whole, err := a.changed(ctx, channel, since)
	if err != nil {
		return nil, err
	}
	if !whole { // what is not told is paged through; what may still be changed is as old as the oldest open round
		err := a.pages(ctx, channel, func(p *model.Post) bool { posts[p.Id] = p; return p.CreateAt > min(since, oldest) })
		if err != nil {
			return nil, err
		}
	}
	answered := map[string]bool{}
	for _, p := range posts {
		if key, ok := p.GetProp(keyProp).(string); ok && a.ours(p) {
			answered[key] = true
		}
	}
	var jobs []*job
	for _, p := range posts {
		j := &job{post: p, at: versionOf(p), deleted: p.DeleteAt > 0, known: true}
		if a.personal(p) && j.at > since && !answered[answerKey(j.key())] {
			jobs = append(jobs, j)
		}
	}
	inOrder(jobs)
	return jobs, nil
}

// ---- up to when everything was handled

// tracker knows what is being handled, and so up to when everything was.
type tracker struct {
	mu   sync.Mutex
	open map[string]int64 // by key: its moment
	more map[string]bool  // of what is open: it must be read again
	done map[string]int64 // what was handled since the mark: it may be told again
	high int64            // the latest that was handled, or up to when everything was read
	kept int64            // the mark as it was kept last
	sure bool             // nothing is missing that is older than what was handled
	bad  error            // why something had to wait, since it was told last
}

// maxDone is how much is remembered of what was handled.
const maxDone = 10_000

func newTracker() tracker {
	return tracker{open: map[string]int64{}, more: map[string]bool{}, done: map[string]int64{}}
}

// restart drops what was left when a Run ended: it is caught up with.
func (t *tracker) restart() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.open)
	clear(t.more)
	t.sure = false
}

// begin takes something up; false if it is being handled already, or was.
func (t *tracker) begin(key string, at int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, open := t.open[key]
	_, done := t.done[key]
	if open || done {
		return false
	}
	t.open[key] = at
	return true
}

// end says that something was handled.
func (t *tracker) end(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, ok := t.open[key]
	if !ok {
		return
	}
	t.high = max(t.high, at)
	delete(t.open, key)
	if t.done[key] = at; len(t.done) > maxDone { // something holds the mark; what is told again finds its answer there
		moments := slices.Sorted(maps.Values(t.done))
		half := moments[len(moments)/2]
		maps.DeleteFunc(t.done, func(_ string, at int64) bool { return at <= half })
	}
}

// behind says whether something is still to be read, and that it must be read again if it is being read now.
func (t *tracker) behind(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, open := t.open[key]
	if open {
		t.more[key] = true
	}
	return open
}

// read says that something is read from now on.
func (t *tracker) read(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.more, key)
}

// knows says whether something was taken up, be it ended or not.
func (t *tracker) knows(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, open := t.open[key]
	_, done := t.done[key]
	return open || done
}

// drop says that something was read; false if there was more since that began.
func (t *tracker) drop(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more[key] {
		return false
	}
	delete(t.open, key)
	return true
}

// hampered says that something has to wait. It is told later: a line in the log at that moment would tell when somebody wrote.
func (t *tracker) hampered(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad = err
}

// trouble is what something had to wait for since it was asked last.
func (t *tracker) trouble() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	err, t.bad = t.bad, nil
	return err
}

func (t *tracker) start(at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.high = max(t.high, at)
	t.kept = at
	t.sure = false
}

// caughtUp says that what happened from the mark until a moment is handled or open. So the mark goes on also where nobody says
// anything, and does not tell when somebody did.
func (t *tracker) caughtUp(at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.high = max(t.high, at)
	t.sure = true
}

// forget drops what was handled so long before the mark that nobody tells it again.
func (t *tracker) forget(mark int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.done, func(_ string, at int64) bool { return at < mark-2*overlap.Milliseconds() })
}

// lost says that the mark was not kept.
func (t *tracker) lost() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = 0
}

// mark is up to when everything was handled, and whether that is news.
func (t *tracker) mark() (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.high
	for _, open := range t.open {
		at = min(at, open-1)
	}
	// A whole minute: when exactly the last one wrote is nobody's business.
	at -= at % time.Minute.Milliseconds()
	news := t.sure && at > t.kept
	if !news {
		return time.Time{}, false
	}
	t.kept = at
	return time.UnixMilli(at), true
}

// keepMark keeps the mark over restarts.
func (a *Adapter) keepMark(ctx context.Context) {
	at, news := a.track.mark()
	if !news {
		return
	}
	if err := a.c.SetMark(ctx, at); err != nil {
		a.log.Warn("mattermost: the mark is not kept", "err", err)
		a.track.lost() // it is kept the next time
		return
	}
	a.track.forget(at.UnixMilli())
}

// ---- one thing at a time in each conversation

// lanes run what is said in one conversation in order, and conversations side by side.
type lanes struct {
	mu   sync.Mutex
	all  map[string][]func()
	work sync.WaitGroup
	slot chan struct{}
	log  *slog.Logger
}

// sideBySide is how many conversations are handled at once.
const sideBySide = 64

func newLanes(log *slog.Logger) *lanes {
	return &lanes{all: map[string][]func(){}, slot: make(chan struct{}, sideBySide), log: log}
}

// do runs f after what else was put in that lane.
func (l *lanes) do(name string, f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue, busy := l.all[name]
	l.all[name] = append(queue, f)
	if busy {
		return
	}
	l.work.Go(func() {
		l.slot <- struct{}{}
		defer func() { <-l.slot }()
		for {
			l.mu.Lock()
			queue := l.all[name]
			if len(queue) == 0 {
				delete(l.all, name)
				l.mu.Unlock()
				return
			}
			l.all[name] = queue[1:]
			l.mu.Unlock()
			l.contained(queue[0])
		}
	})
}

// contained runs f. What it panics with may hold people's words.
func (l *lanes) contained(f func()) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("mattermost: handling something failed", "type", fmt.Sprintf("%T", p))
		}
	}()
	f()
}

// rest waits in the middle of what runs in a lane, which it keeps, while another conversation takes its turn.
func (l *lanes) rest(ctx context.Context, wait time.Duration) {
	<-l.slot
	defer func() { l.slot <- struct{}{} }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// later puts f in a lane after a while, unless ctx ends before.
func (l *lanes) later(ctx context.Context, wait time.Duration, name string, f func()) {
	l.work.Go(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
			l.do(name, f)
		}
	})
}

func (l *lanes) wait() { l.work.Wait() }
