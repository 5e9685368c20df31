package mattermosttest_test

import (
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot/mattermost/mattermosttest"
)

// TestWorldByTheAPI sets everything up as on a real server: with the client and an admin's token only.
func TestWorldByTheAPI(t *testing.T) {
	each(t, func(w *world) {
		admin := w.client(w.s.Token(w.s.AddUser(mattermosttest.User{Name: "root", SystemAdmin: true})))
		ok := func(what string, r *model.Response, err error) {
			w.Helper()
			if err != nil || r.StatusCode >= 300 {
				w.Fatalf("%s: %v", what, err)
			}
		}
		team, r, err := admin.CreateTeam(w.ctx, &model.Team{Name: "made", DisplayName: "Made", Type: model.TeamOpen})
		ok("team", r, err)
		mia, r, err := admin.CreateUser(w.ctx, &model.User{Username: "mia", Email: "mia@example.org", Password: "Passw0rd!x", Locale: "nl"})
		ok("user", r, err)
		bot, r, err := admin.CreateBot(w.ctx, &model.Bot{Username: "made-bot", DisplayName: "Made"})
		ok("bot", r, err)
		tok, r, err := admin.CreateUserAccessToken(w.ctx, bot.UserId, "test")
		ok("token", r, err)
		for _, id := range []string{mia.Id, bot.UserId} {
			_, r, err = admin.AddTeamMember(w.ctx, team.Id, id)
			ok("team member", r, err)
		}
		me := w.client("")
		_, r, err = me.Login(w.ctx, "mia", "wrong")
		w.is("wrong password", r, err, 401, "")
		_, r, err = me.Login(w.ctx, "mia", "Passw0rd!x")
		ok("login", r, err)
		ch, r, err := me.CreateChannel(w.ctx, &model.Channel{TeamId: team.Id, Name: "wing", DisplayName: "Wing", Type: model.ChannelTypePrivate})
		ok("channel", r, err)
		_, r, err = me.AddChannelMember(w.ctx, ch.Id, bot.UserId)
		ok("channel member", r, err)
		own := w.client(tok.Token)
		if m, _, _ := own.GetChannelMember(w.ctx, ch.Id, mia.Id, ""); m == nil || !m.SchemeAdmin {
			w.Errorf("the maker: %+v", m)
		}
		r, err = admin.UpdateChannelMemberSchemeRoles(w.ctx, ch.Id, mia.Id, &model.SchemeRoles{SchemeUser: true})
		ok("demote", r, err)
		r, err = admin.UpdateTeamMemberSchemeRoles(w.ctx, team.Id, mia.Id, &model.SchemeRoles{SchemeUser: true, SchemeAdmin: true})
		ok("promote", r, err)
		cmd, r, err := me.CreateCommand(w.ctx, &model.Command{TeamId: team.Id, Trigger: "weerklank", URL: "http://127.0.0.1:1/", Method: "P"})
		ok("command", r, err)
		_, r, err = own.ListCommands(w.ctx, team.Id, true)
		w.is("a bot lists commands", r, err, 403, "")
		r, err = me.DeleteCommand(w.ctx, cmd.Id)
		ok("delete command", r, err)
		_, r, err = own.CreateTeam(w.ctx, &model.Team{Name: "x", DisplayName: "x", Type: model.TeamOpen})
		w.is("a bot makes a team", r, err, 403, "")
		_, r, err = admin.PatchChannel(w.ctx, ch.Id, &model.ChannelPatch{DisplayName: new("Fresh")})
		ok("rename", r, err)
		r, err = admin.DeleteChannel(w.ctx, ch.Id)
		ok("archive", r, err)
		_, r, err = own.CreatePost(w.ctx, &model.Post{ChannelId: ch.Id, Message: "x"})
		w.is("archived", r, err, 400, "")
		_, r, err = admin.RestoreChannel(w.ctx, ch.Id)
		ok("restore", r, err)
		_, r, err = admin.DisableBot(w.ctx, bot.UserId)
		ok("disable", r, err)
		_, r, err = admin.EnableBot(w.ctx, bot.UserId)
		ok("enable", r, err)
		_, r, err = own.GetMe(w.ctx, "")
		ok("enabled", r, err)
		r, err = admin.RevokeUserAccessToken(w.ctx, tok.Id)
		ok("revoke", r, err)
		_, r, err = own.GetMe(w.ctx, "")
		w.is("revoked", r, err, 401, "")
		r, err = admin.DeleteUser(w.ctx, mia.Id)
		ok("deactivate", r, err)
		_, r, err = me.GetMe(w.ctx, "")
		w.is("deactivated", r, err, 401, "")
		cfg, r, err := admin.GetConfig(w.ctx)
		ok("config", r, err)
		if !*cfg.ServiceSettings.EnableBotAccountCreation {
			w.Error("bots are off")
		}
	})
}
