package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	api "github.com/slack-go/slack"

	"github.com/weerklank/weerklank/bot"
)

const valueVersion = 1

var errValue = errors.New("slack: not a value that this program wrote")

// press is what a button holds and what comes back of it. It names nobody: who presses is told by Slack.
type press struct {
	Version int         `json:"v"`
	Do      string      `json:"d"`
	Round   bot.RoundID `json:"r,omitempty"`
	Arg     string      `json:"a,omitempty"`
	Label   string      `json:"l,omitempty"`
	Typed   string      `json:"w,omitempty"`
	Key     string      `json:"k,omitempty"` // of the post it stands on
}

func (p press) action() bot.Action {
	return bot.Action{Do: p.Do, Round: p.Round, Arg: p.Arg, Label: p.Label, Typed: p.Typed}
}

// button is an action as a button; n tells the buttons of one message or view apart.
func button(a bot.Action, key string, n int) (*api.ButtonBlockElement, error) {
	label, _ := shorten(a.Label, maxButton)
	value := compact(press{Version: valueVersion, Do: a.Do, Round: a.Round, Arg: a.Arg, Label: label, Typed: a.Typed, Key: key})
	if a.Do == "" || label == "" {
		return nil, errors.New("slack: an action without verb or label")
	}
	if _, err := readPress(value); err != nil {
		return nil, fmt.Errorf("slack: a button could not be read back: %w", err)
	}
	b := api.NewButtonBlockElement("press-"+strconv.Itoa(n), value, plainText(label))
	if a.Main {
		b.Style = api.StylePrimary
	}
	return b, nil
}

// readPress reads a button's value back.
func readPress(value string) (p press, err error) {
	err = strict(value, maxValue, &p)
	if err == nil && (p.Version != valueVersion || p.Do == "") {
		err = errValue
	}
	if err != nil {
		return press{}, err
	}
	return p, nil
}

// compact is content as JSON without the three signs that Slack escapes.
func compact(content any) string {
	raw, err := json.Marshal(content) // of plain fields: never fails
	if err != nil {
		return ""
	}
	return string(raw)
}

// strict reads what compact wrote, and nothing else: there is one way to write a content only.
func strict[T any](value string, limit int, content *T) error {
	if len(value) > 4*limit || !utf8.ValidString(value) || json.Unmarshal([]byte(value), content) != nil || compact(*content) != value {
		return errValue
	}
	return nil
}
