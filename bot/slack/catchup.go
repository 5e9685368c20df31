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
		case since := <-a.gaps:
			for {
				err := a.catchUp(ctx, since)
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
				if sleep(ctx, signInAgain) != nil {
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

// catchUp reads what was typed since a moment; zero: since the mark.
func (a *Adapter) catchUp(ctx context.Context, since time.Time) error {
	open, err := a.c.OpenSince(ctx)
	if err != nil || open.IsZero() { // nothing that is typed now is kept
		return err
	}
	from := since
	if from.IsZero() {
		if from, err = a.c.Mark(ctx); err != nil {
			return err
		}
		if from.IsZero() { // never before
			return nil
		}
	} else if time.Since(from) < covered {
		return nil
	} else {
		from = from.Add(-lookBack)
	}
	dms, err := a.conversations(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, c := range dms {
		if err := a.read(ctx, c, from, open); err != nil {
			if ctx.Err() != nil {
				return err
			}
			if code(err) == "" { // one that cannot be read at all keeps nobody from the others
				failed = errors.Join(failed, err)
			}
		}
	}
	return failed
}

// dm is a direct conversation.
type dm struct{ id, user string }

// conversations are the bot's direct ones with people who share a channel with it.
func (a *Adapter) conversations(ctx context.Context) (all []dm, err error) {
	cursor := ""
	for {
		var some []api.Channel
		err := judged(a.wire.call(ctx, "conversations.list", "", func(ctx context.Context) (err error) {
			some, cursor, err = a.wire.api.GetConversationsContext(ctx, &api.GetConversationsParameters{Cursor: cursor, Types: []string{"im"}, Limit: pageSize})
			return err
		}))
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
	for range mostPages {
		var h *api.GetConversationHistoryResponse
		err := judged(a.wire.call(ctx, "conversations.history", c.id, func(ctx context.Context) (err error) {
			h, err = a.wire.api.GetConversationHistoryContext(ctx, &api.GetConversationHistoryParameters{
				ChannelID: c.id, Cursor: cursor, Oldest: slackTime(open), Limit: pageSize,
			})
			return err
		}))
		if err != nil {
			return err
		}
		for _, m := range h.Messages {
			if s, ok := a.historic(c, m); ok && s.at.After(from) {
				found = append(found, s)
			}
		}
		if cursor = h.ResponseMetaData.NextCursor; cursor == "" || !h.HasMore {
			break
		}
	}
	slices.SortFunc(found, func(x, y heard) int { return x.at.Compare(y.at) })
	for _, s := range found {
		if !a.seen.first(s.key()) {
			continue
		}
		if err := a.hear(ctx, s, nil); err != nil && code(err) == "" {
			return err
		}
	}
	return nil
}

// historic reads a message of a conversation's history.
func (a *Adapter) historic(c dm, m api.Message) (heard, bool) {
	s := heard{
		user: bot.Account(Platform, "", m.User), channel: c.id, ts: m.Timestamp, at: tsTime(m.Timestamp), text: bot.ReplyText(m.Text), files: len(m.Files) > 0, again: true,
	}
	if m.User != c.user || m.BotID != "" || s.at.IsZero() || !slices.Contains([]string{"", "file_share", "me_message", "thread_broadcast"}, m.SubType) {
		return heard{}, false
	}
	if m.Edited != nil { // to the second: never older than what was typed
		if at := tsTime(m.Edited.Timestamp); at.After(s.at) {
			s.at = at
		} else {
			s.at = s.at.Add(time.Millisecond)
		}
		s.edited = true
	}
	return s, true
}

func slackTime(t time.Time) string {
	return strings.Join([]string{strconv.FormatInt(t.Unix(), 10), strconv.Itoa(1_000_000 + t.Nanosecond()/1000)[1:]}, ".")
}
