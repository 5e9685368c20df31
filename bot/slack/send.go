package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
)

const (
	mostKeys     = 20_000                 // of posts that are remembered
	pictureAgain = 500 * time.Millisecond // a file that was just uploaded may not be ready
	pictureTries = 4
	answerEvent  = "weerklank_answer" // of the metadata of an answer in a direct conversation
)

// Post implements bot.Chat. Slack has no key of idempotence: what was sent with a key is remembered while the program runs,
// and an attempt of unknown outcome is never repeated (SLACK 6).
func (a *Adapter) Post(ctx context.Context, team bot.TeamID, m bot.Message, thread bot.Ref, key string) (bot.Ref, error) {
	if ref := a.sent.ref(key); ref != "" {
		return ref, nil
	}
	ts, err := a.post(ctx, channelOf(team), string(thread), m, key)
	if err != nil {
		return "", unsure(ofChannel(err))
	}
	a.sent.keep(key, team, bot.Ref(ts))
	return bot.Ref(ts), nil
}

// post says m in a channel or conversation. Errors as judged; errAmbiguous: it may stand there.
func (a *Adapter) post(ctx context.Context, channel, thread string, m bot.Message, key string, more ...api.MsgOption) (ts string, err error) {
	r, err := render(m, key)
	if err != nil {
		return "", err
	}
	if err := a.upload(ctx, r); err != nil {
		return "", nothing(err)
	}
	options := append(optionsFor(r), more...)
	if thread != "" {
		options = append(options, api.MsgOptionTS(thread))
	}
	for try := 0; ; try++ {
		err := judged(a.wire.call(ctx, "chat.postMessage", channel, func(ctx context.Context) (err error) {
			_, ts, err = a.wire.api.PostMessageContext(ctx, channel, options...)
			return err
		}))
		switch {
		case err == nil && ts == "":
			return "", errAmbiguous
		case err == nil:
			return ts, nil
		case !slices.Contains(badBlocks, code(err)):
			return "", err
		}
		// Slack takes no blocks: a picture that is not ready, or a fault of ours. Nothing was posted yet.
		switch {
		case len(r.Pictures) > 0 && try < pictureTries:
			if sleep(ctx, pictureAgain<<try) != nil {
				return "", &bot.RetryError{After: notSentAgain, Err: err}
			}
		case try <= pictureTries:
			a.plain.Add(1)
			options = append([]api.MsgOption{api.MsgOptionText(r.Text, false)}, append(unlinked(), more...)...)
			if thread != "" {
				options = append(options, api.MsgOptionTS(thread))
			}
			try = pictureTries
		default:
			return "", err
		}
	}
}

// unlinked are the options of every message: no link in it is looked up, and no name calls anybody.
func unlinked() []api.MsgOption {
	return []api.MsgOption{api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(), api.MsgOptionLinkNames(false)}
}

func optionsFor(r *rendered) []api.MsgOption {
	return append([]api.MsgOption{api.MsgOptionText(r.Text, false), api.MsgOptionBlocks(r.Blocks...)}, unlinked()...)
}

// upload puts the pictures of a message on the server. Without the right to upload, what they show stands there in words.
func (a *Adapter) upload(ctx context.Context, r *rendered) error {
	for i, p := range r.Pictures {
		id, err := a.uploaded(ctx, p, fmt.Sprintf("weerklank-%d.png", i+1))
		if code(err) != "" {
			id, err = "", nil
		}
		if err != nil {
			return err
		}
		r.place(i, id)
	}
	return r.check()
}

func (a *Adapter) uploaded(ctx context.Context, p picture, name string) (string, error) {
	var slot *api.GetUploadURLExternalResponse
	err := judged(a.wire.call(ctx, "files.getUploadURLExternal", "", func(ctx context.Context) (err error) {
		alt, _ := shorten(p.Alt, maxAlt)
		slot, err = a.wire.api.GetUploadURLExternalContext(ctx, api.GetUploadURLExternalParameters{FileName: name, FileSize: len(p.PNG), AltTxt: alt})
		return err
	}))
	if err != nil {
		return "", err
	}
	err = judged(a.wire.call(ctx, "upload", "", func(ctx context.Context) error {
		return a.wire.uploads.UploadToURL(ctx, api.UploadToURLParameters{UploadURL: slot.UploadURL, Reader: bytes.NewReader(p.PNG), Filename: name})
	}))
	if err != nil {
		return "", err
	}
	err = judged(a.wire.call(ctx, "files.completeUploadExternal", "", func(ctx context.Context) error {
		_, err := a.wire.api.CompleteUploadExternalContext(ctx, api.CompleteUploadExternalParameters{Files: []api.FileSummary{{ID: slot.FileID, Title: name}}})
		return err
	}))
	return slot.FileID, err
}

// Edit implements bot.Editor.
func (a *Adapter) Edit(ctx context.Context, team bot.TeamID, ref bot.Ref, m bot.Message) error {
	r, err := render(m, a.sent.key(team, ref))
	if err != nil {
		return err
	}
	if err := a.upload(ctx, r); err != nil {
		return nothing(err)
	}
	channel := channelOf(team)
	err = judged(a.wire.call(ctx, "chat.update", channel, func(ctx context.Context) error {
		_, _, _, err := a.wire.api.UpdateMessageContext(ctx, channel, string(ref), optionsFor(r)...)
		return err
	}))
	if c := code(err); c == "message_not_found" || c == "cant_update_message" {
		return bot.ErrNotFound
	}
	return unsure(ofChannel(err))
}

// Repaints implements bot.Painter: an edit puts up its own pictures.
func (a *Adapter) Repaints() bool { return true }

// Direct implements bot.Chat.
func (a *Adapter) Direct(ctx context.Context, to bot.Recipient, m bot.Message, key string) error {
	if a.sent.ref(key) != "" {
		return nil
	}
	var id string
	switch to := to.(type) {
	case bot.UserID:
		id = to.Reveal()
	case bot.ActorID:
		id = to.User()
	}
	channel, err := a.conversation(ctx, id)
	if err != nil {
		return nothing(err)
	}
	ts, err := a.post(ctx, channel, "", m, "")
	if slices.Contains(nobodyCodes, code(err)) {
		return bot.ErrNotFound
	}
	if err != nil {
		return unsure(err)
	}
	a.sent.keep(key, "", bot.Ref(ts))
	return nil
}

// conversation opens the direct conversation with somebody.
func (a *Adapter) conversation(ctx context.Context, user string) (string, error) {
	if user == "" {
		return "", bot.ErrNotFound
	}
	var c *api.Channel
	err := judged(a.wire.call(ctx, "conversations.open", "", func(ctx context.Context) (err error) {
		c, _, _, err = a.wire.api.OpenConversationContext(ctx, &api.OpenConversationParameters{Users: []string{user}, ReturnIM: false})
		return err
	}))
	if slices.Contains(nobodyCodes, code(err)) {
		return "", bot.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	if c == nil || c.ID == "" {
		return "", errors.New("slack: a conversation without an id")
	}
	return c.ID, nil
}
