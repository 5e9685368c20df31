package chattest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
)

const team = bot.TeamID("fake:team")

// The fake keeps the contract of every adapter, also when it remembers no key and finishes what was given up.
func TestFakeKeepsTheContract(t *testing.T) {
	for name, forget := range map[string]bool{"remembering": false, "forgetting": true} {
		t.Run(name, func(t *testing.T) {
			chattest.Run(t, func(t *testing.T) chattest.Harness {
				f := chattest.New("fake")
				f.Crew(team, 8)
				sent := map[string]time.Time{}
				return chattest.Harness{
					Chat: f, Team: team, Member: "p2", Boss: "p1",
					Late: func(*testing.T) {
						if forget {
							f.Forget(-1)
						}
						calls := 0
						f.SetTrouble(func(what string, _ bot.TeamID) chattest.Trouble {
							if calls++; calls > 1 || what != "post" {
								return chattest.Trouble{}
							}
							return chattest.Trouble{Hang: true, Lands: 50 * time.Millisecond}
						})
					},
					Pass: func(time.Duration) { f.Landed() },
					Stands: func(text string) (n int) {
						for _, p := range f.Posts(team) {
							if strings.Contains(p.Message.Plain(), text) {
								n++
							}
						}
						return n
					},
					Revoke: func(*testing.T) {
						f.SetTrouble(func(string, bot.TeamID) chattest.Trouble { return chattest.Trouble{Err: bot.ErrUnauthorised} })
					},
					Type: func(ctx context.Context, person, text string) (string, error) {
						from := f.From(person, "")
						id := fmt.Sprint("m", len(sent))
						sent[id] = from.At
						_, err := f.Send(ctx, bot.DirectReply{From: from, Text: bot.ReplyText(text), Message: id})
						return id, err
					},
					Change: func(ctx context.Context, person, message, text string) error {
						from := f.From(person, "")
						if !from.At.After(sent[message]) {
							return errors.New("no time went by")
						}
						sent[message] = from.At
						if text == "" {
							_, err := f.Send(ctx, bot.ReplyWithdrawn{From: from, Message: message})
							return err
						}
						_, err := f.Send(ctx, bot.DirectReply{From: from, Text: bot.ReplyText(text), Message: message, Edited: true})
						return err
					},
				}
			})
		})
	}
}

// What lands late is not found before, and doubles if it is repeated then: the trap that the settle window is for.
func TestLateLandingDoublesWhenLookedUpAtOnce(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		f := chattest.New("fake")
		f.Forget(-1)
		first := true
		f.SetTrouble(func(what string, _ bot.TeamID) chattest.Trouble {
			if what == "post" && first {
				first = false
				return chattest.Trouble{Hang: true, Lands: 45 * time.Second}
			}
			return chattest.Trouble{}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := f.Post(ctx, team, bot.Message{}, "", "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if _, err := f.Find(t.Context(), team, "k", time.Now()); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if _, err := f.Post(t.Context(), team, bot.Message{}, "", "k"); err != nil {
			t.Error(err)
		}
		time.Sleep(f.Settles())
		if n := len(f.Posts(team)); n != 2 {
			t.Errorf("%d posts: the trap does not spring", n)
		}
	})
}
