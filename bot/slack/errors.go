package slack

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
)

// codeError is an answer of Slack that says that a call failed for good.
type codeError struct{ Code string }

func (e *codeError) Error() string {
	switch e.Code {
	case "messages_tab_disabled":
		return "slack: " + e.Code + ": switch on the messages tab of the app (App Home, Show Tabs)"
	case "missing_scope":
		return "slack: " + e.Code + ": give the app the scopes of the manifest and install it again"
	}
	return "slack: " + e.Code
}

// errAmbiguous says that it is unknown whether a call had its effect.
var errAmbiguous = errors.New("slack: it is unknown whether it was done")

// judged reads the error of a call. A *bot.RetryError: nothing was done, come back. errAmbiguous: it may or may not be done.
// bot.ErrUnauthorised: the token is not taken any more. A *codeError: Slack refused, for good.
func judged(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*bot.RetryError](err); ok {
		return err
	}
	if e, ok := errors.AsType[api.SlackErrorResponse](err); ok {
		code := plainCode(e.Err)
		switch {
		case slices.Contains(signedOut, code):
			return &signInError{slotBot, code}
		case slices.Contains(ambiguousCodes, code):
			return errAmbiguous
		case code == "ratelimited" || code == "rate_limited":
			return &bot.RetryError{After: limitedFor, Err: errLimited}
		}
		return &codeError{code}
	}
	if e, ok := errors.AsType[api.StatusCodeError](err); ok && e.Code >= 300 && e.Code < 500 && e.Code != http.StatusRequestTimeout {
		return &bot.RetryError{After: notSentAgain, Err: fmt.Errorf("slack: status %d", e.Code)} // something before Slack
	}
	return errAmbiguous
}

// The answers that mean what their names say. They are tables of the adapter, and never changed.
var (
	// signedOut are those to any call that mean that no call will be taken.
	signedOut = []string{
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type", "org_login_required",
		"team_access_not_granted", "enterprise_is_restricted",
	}
	ambiguousCodes = []string{"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
	// goneCodes are those to a post that mean that the bot cannot speak there any more.
	goneCodes = []string{
		"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_read_only_channel",
		"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel", "restricted_action_thread_locked", "ekm_access_denied",
	}
	// nobodyCodes are those to a question about a person, or a message to one, that mean that there is nobody to answer.
	nobodyCodes = []string{"user_not_found", "users_not_found", "user_not_visible", "user_disabled"}
	// badBlocks are those that mean that a message of ours is wrong.
	badBlocks = []string{"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
)

// code is Slack's word for what went wrong; empty: it said none.
func code(err error) string {
	if e, ok := errors.AsType[*codeError](err); ok {
		return e.Code
	}
	return ""
}

// ofChannel says what an error means for a channel.
func ofChannel(err error) error {
	if slices.Contains(goneCodes, code(err)) {
		return bot.ErrGone
	}
	return err
}

// nothing says that nothing was posted because of err.
func nothing(err error) error {
	for _, clear := range []error{bot.ErrUnauthorised, bot.ErrGone, bot.ErrNotFound} {
		if errors.Is(err, clear) {
			return err
		}
	}
	if _, ok := errors.AsType[*bot.RetryError](err); ok || code(err) != "" {
		return err
	}
	return &bot.RetryError{After: notSentAgain, Err: err}
}

// unsure turns what may have been done into the port's word for it.
func unsure(err error) error {
	if errors.Is(err, errAmbiguous) {
		return bot.ErrUncertain
	}
	return err
}
