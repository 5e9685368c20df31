package slack_test

import "github.com/weerklank/weerklank/bot/slack/slacktest"

func controlsOf(on slacktest.Surface) []slacktest.Control { return slacktest.Controls(on) }

func slacktestChannel(name string, members ...string) slacktest.Channel {
	return slacktest.Channel{Name: name, Members: members}
}

func voice() slacktest.File {
	return slacktest.File{Name: "opname.m4a", Title: "opname", Mime: "audio/mp4", Data: []byte("geluid"), Audio: true}
}
