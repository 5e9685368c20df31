package mattermost_test

import (
	"time"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// server is a Mattermost server on which the stories play: the one for tests, or a real one. Its methods are those of
// mattermosttest.Server. Names are what people call somebody; a real server may add something to them.
type server interface {
	URL() string

	AddBot(name string) (id, token string)
	AddUser(mattermosttest.User) (id string)
	AddTeam(name string, members ...string) (id string)
	AddChannel(team, name string, members ...string) (id string)
	SetChannelAdmin(channel, user string, admin bool)
	SetTeamAdmin(team, user string, admin bool)
	RegisterCommand(user, team, trigger, to string) (token string, err error)
	Revoke(token string)

	DM(user, words string) (post string)
	Mention(user, channel, words string) (post string)
	Edit(post, words string)
	Delete(post string)
	Click(user, post, action string) mattermosttest.ClickResult
	Command(user, channel, line string) mattermosttest.CommandResult
	Dialog(user string) *mattermosttest.Dialog
	Submit(user string, d *mattermosttest.Dialog, values map[string]any) mattermosttest.SubmitResult

	Posts(channel string) []mattermosttest.Post
	DMs(user string) []mattermosttest.Post
	Post(id string) (mattermosttest.Post, bool)
	Await(what string, done func() bool)
	Advance(time.Duration)
}

var (
	_ server = (*mattermosttest.Server)(nil)
	_ server = (*realServer)(nil)
)
