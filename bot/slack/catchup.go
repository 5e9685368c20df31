package slack

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
)

// Catching up. Slack sends an event again for about six minutes; what was typed in a longer gap is read in the direct
// conversations. Reading more than was missed does no harm: every message has a version.

const (
	covered   = 4 * time.Minute  // a gap that Slack's own repeats cover, with something to spare
	lookBack  = 10 * time.Minute // what may have been acknowledged and not yet handled when the program ended
	mostPages = 20               // of one conversation
)

// keepUp catches up with every gap, and keeps the mark up to which everything was handled.
func (a *Adapter) keepUp(ctx context.Context) {
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	behind := true // until the first gap was caught up with, the mark stays
	for {
		select {
		case <-ctx.Done():
			return
		case g := <-a.gaps:
			for {
				err := a.catchUp(ctx, g)
				if err == nil {
					behind = false
					a.mark(ctx)
					break
				}
				behind = true
				if ctx.Err() != nil {
					return
				}
				a.log.Warn("slack: what was typed meanwhile is not read yet", "err", err)
				if sleep(ctx, a.signIn) != nil {
					return
				}
			}
		case <-tick.C:
			if !behind && a.connected() && a.intake.health().Waiting == 0 {
				a.mark(ctx)
			}
		}
	}
}

func (a *Adapter) connected() bool {
	a.mu.Lock()
	s := a.sockets
	a.mu.Unlock()
	return s == nil || s.health().Down.IsZero()
}

func (a *Adapter) mark(ctx context.Context) {
	if err := a.c.SetMark(ctx, a.now().Add(-lookBack)); err != nil {
		a.log.Warn("slack: the mark was not kept", "err", err)
	}
}

// catchUp reads what was typed in a gap, and looks which channels must rest since then.
func (a *Adapter) catchUp(ctx context.Context, g gap) error {
	if g.since.IsZero() || !g.sure {
		if err := a.lookAround(ctx); err != nil {
			return err
		}
	}
	open, err := a.c.OpenSince(ctx)
	if err != nil || open.IsZero() { // nothing that is typed now is kept
		return err
	}
	from := g.since
	switch {
	case from.IsZero():
		if from, err = a.c.Mark(ctx); err != nil {
			return err
		}
		if from.IsZero() { // never before
			return nil
		}
	case !g.sure && time.Since(from) < covered:
		return nil
	default:
		from = from.Add(-lookBack)
	}
	dms, err := a.conversations(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, c := range dms {
		err := a.read(ctx, c, from, open)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && code(err) == "": // one that cannot be read at all keeps nobody from the others
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// lookAround finds channels that were shared with another organisation while nobody told.
func (a *Adapter) lookAround(ctx context.Context) error {
	all, err := a.people.own(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.shared {
			a.retried(ctx, bot.ChannelGone{Team: a.teamOf(p.id), At: a.now()})
		}
	}
	return nil
}

// slowly makes a call of which there are many: each waits until the limits allow it.
func (a *Adapter) slowly(ctx context.Context, method, channel string, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	return patiently(ctx, func() error { return judged(a.wire.call(ctx, method, channel, do)) })
}

// dm is a direct conversation.
type dm struct{ id, user string }

// conversations are the bot's direct ones with people who share a channel with it.
func (a *Adapter) conversations(ctx context.Context) (all []dm, err error) {
	cursor := ""
	for {
		var some []api.Channel
		err := a.slowly(ctx, "conversations.list", "", func(ctx context.Context) (err error) {
			some, cursor, err = a.wire.api.GetConversationsContext(ctx, &api.GetConversationsParameters{Cursor: cursor, Types: []string{"im"}, Limit: listSize})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			if c.User != "" && c.User != "USLACKBOT" && !c.IsUserDeleted {
				all = append(all, dm{c.ID, c.User})
			}
		}
		if cursor == "" {
			return all, nil
		}
	}
}

// read hands what somebody typed to the bot: new since from, and edited since then, of what was typed while a round was open.
func (a *Adapter) read(ctx context.Context, c dm, from, open time.Time) error {
	cursor := ""
	var found []heard
	var said []api.Message
	for range mostPages {
		var h *api.GetConversationHistoryResponse
		err := a.slowly(ctx, "conversations.history", c.id, func(ctx context.Context) (err error) {
			h, err = a.wire.api.GetConversationHistoryContext(ctx, &api.GetConversationHistoryParameters{
				ChannelID: c.id, Cursor: cursor, Oldest: slackTime(open), Limit: pageSize, IncludeAllMetadata: true,
			})
			return err
		})
		if err != nil {
			return err
		}
		all := h.Messages
		for _, m := range h.Messages {
			if m.ReplyCount > 0 && tsTime(m.LatestReply).After(from) {
				replies, err := a.replies(ctx, c, m.Timestamp)
				if err != nil {
					return err
				}
				all = append(all, replies...)
			}
		}
		for _, m := range all {
			if s, ok := a.historic(c, m); ok && s.at.After(from) {
				found = append(found, s)
			}
		}
		said = append(said, all...)
		if cursor = h.ResponseMetaData.NextCursor; cursor == "" || !h.HasMore {
			break
		}
	}
	slices.SortFunc(found, func(x, y heard) int { return x.at.Compare(y.at) })
	for _, s := range found {
		s.silent = answeredIn(said, s)
		if err := a.hear(ctx, s, nil); err != nil && code(err) == "" {
			return err
		}
	}
	return nil
}

// replies are those to one message.
func (a *Adapter) replies(ctx context.Context, c dm, root string) (all []api.Message, err error) {
	cursor := ""
	for range mostPages {
		var some []api.Message
		var more bool
		err := a.slowly(ctx, "conversations.replies", c.id, func(ctx context.Context) (err error) {
			some, more, cursor, err = a.wire.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
				ChannelID: c.id, Timestamp: root, Cursor: cursor, Limit: pageSize, IncludeAllMetadata: true,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			if m.Timestamp != root {
				all = append(all, m)
			}
		}
		if !more || cursor == "" {
			break
		}
	}
	return all, nil
}

// historic reads a message of a conversation's history.
func (a *Adapter) historic(c dm, m api.Message) (heard, bool) {
	s := heard{
		user: bot.Account(Platform, "", m.User), channel: c.id, ts: m.Timestamp, at: tsTime(m.Timestamp), text: bot.ReplyText(m.Text), files: len(m.Files) > 0, caught: true,
	}
	if m.User != c.user || m.BotID != "" || s.at.IsZero() || !slices.Contains([]string{"", "file_share", "me_message", "thread_broadcast"}, m.SubType) {
		return heard{}, false
	}
	if m.ThreadTimestamp != m.Timestamp {
		s.thread = m.ThreadTimestamp
	}
	if m.Edited != nil { // to the second: the text is that of the last edit in it
		s.since = tsTime(m.Edited.Timestamp)
		at := s.since
		if at.Nanosecond() == 0 {
			at = at.Add(time.Second - time.Microsecond)
		}
		if now := a.now(); at.After(now) {
			at = now
		}
		if !at.After(s.at) {
			at = s.at.Add(time.Millisecond)
		}
		s.at, s.edited = at, true
	}
	return s, true
}

func slackTime(t time.Time) string {
	return strings.Join([]string{strconv.FormatInt(t.Unix(), 10), strconv.Itoa(1_000_000 + t.Nanosecond()/1000)[1:]}, ".")
}
