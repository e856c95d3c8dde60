package main

// examples are the calls that the help of a command shows, where the command does not bring its own; that of the program
// stands under the empty name.
func examples() map[string]string {
	return map[string]string{
		"": `  duban demo
  duban --config duban.yaml import units 单位表.xlsx --dry-run
  duban --config duban.yaml run all --date yesterday
  duban --db sqlite:duban-demo/duban.db status`,

		"serve":   "  duban --config duban.yaml serve\n  duban --config duban.yaml serve --confirm-date",
		"migrate": "  duban --config duban.yaml migrate\n  duban --db sqlite:duban.db migrate",
		"rebuild": "  duban --config duban.yaml rebuild",
		"version": "  duban version\n  duban version --output json",
		"pause":   "  duban pause --by 李敏 --why 试运行核对\n  duban pause --jurisdiction laoshan --by 李敏 --why 试运行核对",
		"resume":  "  duban resume --by 李敏\n  duban resume --jurisdiction laoshan --by 李敏 --why 已核对",

		"config":               "  duban config sample > duban.yaml\n  duban --config duban.yaml config check",
		"config check":         "  duban --config duban.yaml config check",
		"config print":         "  duban --config duban.yaml config print\n  DUBAN_MAIL_REDIRECT_TO=me@sfj.example.com duban config print",
		"config sample":        "  duban config sample > duban.yaml",
		"config policy-sample": "  duban config policy-sample > policy.yaml",

		"import":          "  duban import units 单位表.xlsx --dry-run\n  duban import plan 台账.xlsx --jurisdiction laoshan",
		"import units":    "  duban import units 单位表.xlsx --dry-run\n  duban import units 单位表.xlsx --on 2024-10-08 --by 李敏",
		"import plan":     "  duban import plan 台账.xlsx --jurisdiction laoshan --dry-run\n  duban import plan 台账.xlsx --code zfzl2024 --issued 20240708 --by 李敏",
		"import people":   "  duban import people 花名册.xlsx --jurisdiction laoshan --dry-run",
		"import training": "  duban import training 培训.xlsx --jurisdiction laoshan\n  duban import training 培训.xlsx --complete --by 李敏",
		"import events":   "  duban import events 事件.xlsx --jurisdiction sishui --by 李敏",

		"tasks":       "  duban tasks list --status unreadable\n  duban tasks show laoshan/zfzl2024/17",
		"tasks show":  "  duban tasks show laoshan/zfzl2024/17",
		"units":       "  duban units list --jurisdiction laoshan\n  duban units merge xnyj --jurisdiction sishui --into xzhzfj --on 2024-07-15 --by 李敏 --why 机构改革 --dry-run",
		"units list":  "  duban units list --jurisdiction laoshan\n  duban units list --as-of 2024-09-30 --output json",
		"people":      "  duban people list --jurisdiction laoshan",
		"people list": "  duban people list --jurisdiction laoshan --unit qzjj",

		"obligations":                "  duban obligations list --jurisdiction laoshan --overdue\n  duban obligations report laoshan/zfzl2024/17/qwlj/m1 --by 李敏",
		"obligations show":           "  duban obligations show laoshan/zfzl2024/17/qwlj/m1\n  duban obligations show laoshan/zfzl2024/17/qwlj/m1 --as-of 2024-09-30",
		"obligations report":         "  duban obligations report laoshan/zfzl2024/17/qwlj/m1 --by 李敏\n  duban obligations report sishui/zfzl2023-2025/15-1/xjtj/2024-09 --on yesterday --figure 行政处罚件数=12 --by 李敏",
		"obligations figures":        "  duban obligations figures sishui/zfzl2023-2025/15-1/xjtj/2024-09 --figure 行政处罚件数=13 --by 李敏 --why 单位来电更正",
		"obligations accept":         "  duban obligations accept laoshan/zfzl2024/17/qwlj/m1 --by 李敏",
		"obligations return":         "  duban obligations return laoshan/zfzl2024/17/qwlj/m1 --due 2024-10-18 --by 李敏 --why 缺少整改清单",
		"obligations waive":          "  duban obligations waive laoshan/zfzl2024/20/qtjj/m1 --by 李敏 --why 本单位无此类案件",
		"obligations reopen":         "  duban obligations reopen laoshan/zfzl2024/17/qzjj/m1 --due 2024-10-31 --by 李敏 --why 复查发现未整改",
		"obligations confirm":        "  duban obligations confirm laoshan/zfzl2024/17/qwlj/m1 --by 李敏",
		"obligations count":          "  duban obligations count changji/zfzl2024/1/ashili/2024 --n 2 --ref 培训2024-05 --by 李敏",
		"obligations contacted":      "  duban obligations contacted laoshan/zfzl2024/17/qwlj/m1 --how phone --by 李敏",
		"obligations hold":           "  duban obligations hold laoshan/zfzl2024/17/qwlj/m1 --until 2024-10-15 --by 李敏 --why 已约定\n  duban obligations hold laoshan/zfzl2024/17/qwlj/m1 --lift --by 李敏 --why 约定的日子已过",
		"obligations correct":        "  duban obligations correct laoshan/zfzl2024/17/qwlj/m1 --seq 412 --by 李敏 --why 误登",
		"obligations correct-letter": "  duban obligations correct-letter laoshan/zfzl2024/17/qwlj/m1 --seq 412 --by 李敏 --why 登记有误",
		"obligations extend":         "  duban obligations extend ask laoshan/zfzl2024/17/qwlj/m1 --due 2024-10-31 --by 李敏 --why 需跨部门会商\n  duban obligations extend grant laoshan/zfzl2024/17/qwlj/m1 --due 2024-10-31 --by 李敏 --why 需跨部门会商",
		"obligations extend ask":     "  duban obligations extend ask laoshan/zfzl2024/17/qwlj/m1 --due 2024-10-31 --by 李敏 --why 需跨部门会商",
		"obligations extend grant":   "  duban obligations extend grant laoshan/zfzl2024/17/qwlj/m1 --due 2024-10-31 --asked 2024-09-27 --by 李敏 --why 需跨部门会商",
		"obligations extend refuse":  "  duban obligations extend refuse laoshan/zfzl2024/17/qwlj/m1 --by 李敏 --why 期限由市里规定",

		"outbox":           "  duban outbox list --state failed\n  duban outbox show 6f0c1a2b",
		"outbox show":      "  duban outbox show 6f0c1a2b\n  duban outbox show 6f0c1a2b --full",
		"outbox cancel":    "  duban outbox cancel 6f0c1a2b --by 李敏 --why 已撤销",
		"outbox release":   "  duban outbox release 6f0c1a2b --by 李敏\n  duban outbox release 6f0c1a2b --by 李敏 --number 崂政督〔2024〕12号 --channel oa --on 2024-10-21",
		"outbox reconcile": "  duban outbox reconcile --archive ./archive --by 李敏 --dry-run",

		"documents":      "  duban documents list --state draft\n  duban documents export 6f0c1a2b --dir ./forms",
		"documents void": "  duban documents void 6f0c1a2b --by 李敏 --why 误发",
		"export":         "  duban export evidence --jurisdiction laoshan --unit qjtj --from 2024-07-01 --to 2024-09-30",
		"mail":           "  duban mail test --to admin@sfj.example.com",
		"periods":        "  duban periods list --jurisdiction sishui\n  duban periods show --jurisdiction sishui --period 2024Q3",
		"silence":        "  duban silence list\n  duban silence lift laoshan/1265 --by 李敏 --why 响应已解除",
		"silence list":   "  duban silence list --jurisdiction laoshan --as-of 2024-10-14",
		"silence lift":   "  duban silence lift laoshan/1265 --on today --by 李敏 --why 响应已解除",
		"housekeeping":   "  duban --config duban.yaml housekeeping",

		"parse":         "  echo 2024年底前，长期坚持 | duban parse deadline --issued 2024-07-08\n  echo 市司法局牵头，市财政局配合 | duban parse units",
		"workday":       "  duban workday add 2024-09-26 3\n  duban workday list 2024-10",
		"workday add":   "  duban workday add 2024-09-26 3\n  duban workday add today -5 --jurisdiction changji",
		"workday count": "  duban workday count 20240926 20241015",
		"workday list":  "  duban workday list 2024-10\n  duban workday list 202502 --output json",
	}
}
