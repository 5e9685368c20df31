package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// privacySheet is the installation's data sheet in Markdown: what is kept, what for, how long, and who can see it, with
// the figures of the configuration in force (TRUST 1.2, 7).
func privacySheet(c config, lang prompts.Lang) string {
	say := func(key string, pairs ...string) string { return locale.Say(lang, key, pairs...) }
	var on []string
	server := ""
	if url := inCell(c.Mattermost.URL); url != "" {
		on = append(on, say("privacy.platform-mattermost", "url", url))
		forms := say("privacy.no")
		if c.Mattermost.CallbackURL != "" {
			forms = say("privacy.yes")
		}
		server = "\n\n" + say("privacy.mattermost", "url", url, "forms", forms)
	}
	if c.slackOn() {
		on = append(on, say("privacy.platform-slack"))
		server += "\n\n" + say("privacy.slack")
	}
	if c.Workspace.Enabled {
		on = append(on, say("privacy.platform-workspace"))
	}
	if len(on) == 0 {
		on = append(on, say("privacy.platform-none"))
	}
	platforms := strings.Join(on, "; ")
	public := say("privacy.no")
	if c.Organisation.PublicSector {
		public = say("privacy.yes")
	}
	backups, keep := say("privacy.backups-off"), say("privacy.backups-kept-by-hand")
	if len(c.Backup.Recipients) > 0 {
		backups = say("privacy.backups-on", "schedule", inCell(c.Backup.Schedule), "count", strconv.Itoa(c.keyCount()))
		keep = say("privacy.backups-kept", "days", strings.TrimSuffix(c.Backup.Keep, "d"))
	}
	adviser := inCell(c.Help.Adviser)
	if adviser == "" {
		adviser = say("privacy.no-adviser")
	}
	return say("privacy.sheet",
		"version", version(), "platforms", platforms, "adviser", adviser, "public", public,
		"minimum", locale.Number(lang, max(c.Team.MinReplies, c.Limits.MinReplies)), "members", locale.Number(lang, c.Limits.MinMembers),
		"days", strings.TrimSuffix(c.Privacy.KeepReplies, "d"), "audit", locale.Number(lang, bot.KeepAuditYears),
		"backups", backups, "backup-keep", keep, "backup-dir", "`"+inCell(backupDir(c))+"`", "data", inCell(c.DataDir), "store", c.storeName(), "keys", keysDir,
		"mattermost", server, "chat", chatFile, "socket", controlSocket, "running", running)
}

// inCell makes a value of the configuration harmless in a cell of a Markdown table.
func inCell(s string) string {
	return strings.TrimSpace(strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "`", "'").Replace(s))
}

func printPrivacy(e *env, c config, lang string) error {
	switch prompts.Lang(lang) {
	case "":
		lang = string(e.lang)
	case prompts.Dutch, prompts.English:
	default:
		return usageError{e.say("cli.privacy-lang")}
	}
	_, err := fmt.Fprintln(e.stdout, privacySheet(c, prompts.Lang(lang)))
	return err
}
