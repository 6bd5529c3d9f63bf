"""Sentences of the area `people`: code -> (Chinese, English). Signing in, accounts, rights, the audit book, names."""

MESSAGES: dict[str, tuple[str, str]] = {
    # --- signing in -------------------------------------------------------------------------------------------------
    "sign_in_needed": (
        "本工作区已设账号，请先登录。未作任何更改。",
        "This workspace has accounts: sign in first. Nothing was changed.",
    ),
    "sign_in_needed.hint": (
        "运行 geo-monitor login 账号；脚本可用 --account 加环境变量 GEO_MONITOR_PASSWORD。",
        "Run geo-monitor login NAME; scripts can use --account with the variable GEO_MONITOR_PASSWORD.",
    ),
    "sign_in_wrong": ("账号或密码不正确。", "The account or the password is wrong."),
    "sign_in_wrong.hint": (
        "请检查后重试；连续输错会暂时锁定。忘记密码请找本单位管理员。",
        "Check both and try again; several wrong tries lock the account for a while. An administrator can set a new "
        "password.",
    ),
    "sign_in_locked": (
        "密码连续输错，账号已锁定，约 {minutes} 分钟后可再试。",
        "Too many wrong passwords: the account is locked for about {minutes} minutes.",
    ),
    "sign_in_locked.hint": (
        "也可请管理员运行 geo-monitor accounts change 账号 --unlock。",
        "Or an administrator runs geo-monitor accounts change NAME --unlock.",
    ),
    "session_over": ("登录已失效，请重新登录。", "The sign-in has ended: sign in again."),
    "session_over.hint": ("运行 geo-monitor login 账号。", "Run geo-monitor login NAME."),
    "identity_unknown": (
        "统一认证身份“{identity}”没有对应账号。",
        'No account belongs to the identity "{identity}".',
    ),
    "identity_unknown.hint": (
        "请管理员用 geo-monitor accounts add 账号 --identity 身份 开通。",
        "An administrator makes one: geo-monitor accounts add NAME --identity IDENTITY",
    ),
    "password_missing": ("没有提供密码。", "No password was given."),
    "password_missing.hint": (
        "请在终端输入，或设环境变量 {variable}。",
        "Type it at a terminal, or set the variable {variable}.",
    ),
    "password_new_missing": ("没有提供新密码。", "No new password was given."),
    "password_new_missing.hint": (
        "请在终端输入，或由标准输入给出一行。",
        "Type it at a terminal, or give it as a line on standard input.",
    ),
    "password_differs": ("两次输入的密码不一致，未作更改。", "The two passwords differ. Nothing was changed."),
    "password_weak": (
        "密码太短或与账号相同，至少 {length} 个字符。未作更改。",
        "The password is too short or the account's name; at least {length} characters. Nothing was changed.",
    ),
    "password_weak.hint": (
        "建议用几个不相干的词连成一句。",
        "Several unrelated words in a row make a good one.",
    ),
    "password_long": (
        "密码超过 {length} 个字符。未作更改。",
        "The password has more than {length} characters. Nothing was changed.",
    ),
    "password_long.hint": ("请换一个短些的。", "Choose a shorter one."),
    "password.ask": ("密码：", "Password: "),
    "password.new": ("新密码：", "New password: "),
    "password.again": ("再输一遍：", "Again: "),
    "login.done": ("{account} 已登录，有效至 {until}。", "{account} is signed in until {until}."),
    "logout.done": ("已退出登录。", "Signed out."),
    "no_accounts": ("本工作区没有账号，无需登录。", "This workspace has no accounts; nobody needs to sign in."),
    "no_accounts.hint": (
        "运行 geo-monitor accounts add 账号 --role admin 建立第一个账号。",
        "geo-monitor accounts add NAME --role admin makes the first one.",
    ),
    # --- rights -----------------------------------------------------------------------------------------------------
    "borders_not_yours": (
        "账号“{account}”不能更改辖区界：界线决定各单位能看到哪些江段的结果。未作任何更改。",
        'The account "{account}" may not change jurisdictions: they decide whose water results lie on. Nothing was changed.',
    ),
    "accuracy_not_yours": (
        "账号“{account}”上传的河道精度不能大于 {limit} 米：精度决定多大范围内的案件归到这条河。未作任何更改。",
        'The account "{account}" may not send river lines of an accuracy over {limit} m: it decides from how far cases are taken to lie on them. Nothing was changed.',
    ),
    "accuracy_not_yours.hint": (
        "请写明实际精度，或由区域为 100000（全国）的账号上传。",
        "Tell their true accuracy, or have an account whose area is 100000 (the whole country) send them.",
    ),
    "borders_not_yours.hint": (
        "请由区域为 100000（全国）的账号上传或撤回。",
        "Have an account whose area is 100000 (the whole country) send or withdraw them.",
    ),
    "not_allowed": (
        "账号“{account}”（角色：{roles}）没有这项权限（{right}）。未作任何更改。",
        'The account "{account}" (roles: {roles}) may not do this ({right}). Nothing was changed.',
    ),
    "not_allowed.hint": (
        "如工作需要，请管理员调整角色。",
        "If the work needs it, ask an administrator for the role.",
    ),
    "not_owner": (
        "--as-owner 只对本机 SQLite 工作区的文件夹所有者有效。",
        "--as-owner works only for whoever owns the folder of a workspace on SQLite.",
    ),
    "not_owner.hint": ("请用账号登录。", "Sign in with an account."),
    "agency_not_yours": (
        "文件里有其他单位的数据（{agencies}），账号“{account}”不能代报。未入库。",
        'The file holds rows of other agencies ({agencies}); the account "{account}" may not send them. '
        "Nothing was taken in.",
    ),
    "agency_not_yours.hint": (
        "请删去这些行，或由该单位自行报送。",
        "Take those rows out, or let that agency send them.",
    ),
    "receipt_not_yours": (
        "回执“{receipt_id}”由其他单位报送，账号“{account}”不能撤回。未作任何更改。",
        'Receipt "{receipt_id}" is another agency\'s; the account "{account}" may not withdraw it. Nothing was changed.',
    ),
    "receipt_not_yours.hint": ("请联系报送单位。", "Ask the agency that sent it."),
    # --- accounts ---------------------------------------------------------------------------------------------------
    "account_name_bad": ("账号名“{name}”不可用。", 'The account name "{name}" cannot be used.'),
    "account_name_bad.hint": (
        "请用不超过 64 个可见字符，前后不留空格。",
        "Use at most 64 printable characters without blanks at the ends.",
    ),
    "account_there": ("账号“{name}”已存在，未作更改。", 'The account "{name}" is there already. Nothing was changed.'),
    "account_there.hint": (
        "要修改请用 geo-monitor accounts change。",
        "geo-monitor accounts change alters it.",
    ),
    "account_unknown": ("没有账号“{name}”。", 'There is no account "{name}".'),
    "account_unknown.hint": ("geo-monitor accounts list 可列出全部账号。", "geo-monitor accounts list names them."),
    "first_account_admin": (
        "第一个账号必须有 admin 角色，否则以后无人能管理账号。",
        "The first account needs the role admin, or nobody could manage accounts later.",
    ),
    "first_account_admin.hint": ("请加上 --role admin。", "Add --role admin."),
    "last_admin": (
        "账号“{name}”是最后一个可用的管理员，不能停用或去掉 admin 角色。未作更改。",
        '"{name}" is the last administrator in force and stays one. Nothing was changed.',
    ),
    "last_admin.hint": ("请先另设一个管理员。", "Make another administrator first."),
    "role_unknown": ("没有角色“{role}”。", 'There is no role "{role}".'),
    "role_unknown.hint": ("可用的角色：{roles}。", "The roles are {roles}."),
    "adcode_bad": ("行政区划代码“{adcode}”应为六位数字。", 'The adcode "{adcode}" should have six digits.'),
    "adcode_bad.hint": (
        "县级如 421022，市级如 421000，省级如 420000，全流域用 {everywhere}。",
        "A county is like 421022, a city 421000, a province 420000, the whole basin {everywhere}.",
    ),
    "agency_unknown": ("单位“{agency}”尚未登记。", 'The agency "{agency}" is not registered.'),
    "agency_unknown.hint": (
        "请先运行 geo-monitor agencies add 单位 --adcode 代码。",
        "Register it: geo-monitor agencies add NAME --adcode CODE",
    ),
    "agency_name_bad": ("单位名不能为空。", "An agency needs a name."),
    "password_or_identity": (
        "账号需要密码或统一认证身份。",
        "An account needs a password, or an identity of an identity provider.",
    ),
    "nothing_to_change": ("没有指明要改什么。", "Nothing to change was named."),
    "nothing_to_change.hint": ("见 geo-monitor accounts change --help。", "See geo-monitor accounts change --help."),
    "accounts.added": ("已建立账号“{account}”。", 'The account "{account}" was made.'),
    "accounts.changed": (
        "账号“{account}”已更改，原有登录全部失效。",
        'The account "{account}" was changed; its sign-ins have ended.',
    ),
    "account.account": ("账号", "account"),
    "account.agency": ("单位", "agency"),
    "account.roles": ("角色", "roles"),
    "account.adcodes": ("辖区", "areas"),
    "account.disabled": ("已停用", "disabled"),
    # --- agencies, shares -------------------------------------------------------------------------------------------
    "agencies.added": ("已登记单位“{agency}”，辖区 {adcode}。", 'The agency "{agency}" answers for {adcode}.'),
    "share_table": ("数据表“{table}”不能共享。", 'The table "{table}" cannot be shared.'),
    "share_table.hint": ("可共享的数据表：{tables}。", "These can: {tables}."),
    "share_field": (
        "数据表“{table}”没有可隐藏的字段“{field}”。",
        'Of the table "{table}" a share cannot hide "{field}".',
    ),
    "share_field.hint": ("可隐藏的字段：{fields}。", "These can be hidden: {fields}."),
    "share_unknown": ("没有编号为 {number} 的共享，或已结束。", "There is no share {number} in force."),
    "share_unknown.hint": ("geo-monitor shares list 可列出全部共享。", "geo-monitor shares list names them."),
    "shares.added": (
        "共享 {number}：“{giver}”的 {table} 向“{taker}”开放。",
        'Share {number}: "{taker}" sees {table} of "{giver}".',
    ),
    "shares.ended": ("共享 {number} 已结束。", "Share {number} has ended."),
    # --- the audit book ---------------------------------------------------------------------------------------------
    "audit.ok": (
        "审计账 {rows} 条，逐条核对无误。\n当前校验值（请抄存到别处）：{head}",
        "The audit book has {rows} rows and every one fits.\nHead, to be kept elsewhere: {head}",
    ),
    "audit.broken": (
        "审计账第 {row} 条（共 {rows} 条）与校验值不符：该条或其前后被改动、删除或插入过。",
        "Row {row} of {rows} in the audit book does not fit its hash: it or a row before it was altered, removed or "
        "inserted.",
    ),
    "audit.cut": (
        "审计账现有 {rows} 条，找不到抄存的校验值 {head}：末尾被截去，或整本被换过。",
        "The audit book has {rows} rows and none with the head {head} kept elsewhere: rows were cut off its end, or the "
        "book was replaced.",
    ),
    # --- names ------------------------------------------------------------------------------------------------------
    "names_key_missing": (
        "人员姓名的密钥文件“{file}”不在，姓名无法封存或显示。其他数据不受影响。",
        'The key file of people\'s names, "{file}", is missing: names can be neither sealed nor shown. '
        "Everything else works.",
    ),
    "names_key_missing.hint": (
        "请从备份恢复该文件，或用环境变量 GEO_MONITOR_KEY_FILE 指明位置。",
        "Restore the file, or say where it is in GEO_MONITOR_KEY_FILE.",
    ),
    "names_other_key": (
        "姓名是用另一把密钥封存的，现有密钥打不开。",
        "The names were sealed with another key than the one found.",
    ),
    "names_other_key.hint": (
        "请用环境变量 GEO_MONITOR_KEY_FILE 指明当时的密钥文件。",
        "Name the key file of that time in GEO_MONITOR_KEY_FILE.",
    ),
    "no_names": ("报告“{report_id}”没有可显示的姓名。", 'No names can be shown for the report "{report_id}".'),
    "no_names.hint": (
        "请核对编号；外单位的报告不在可见范围内。",
        "Check its id; reports of agencies outside your area are not shown.",
    ),
    "names.recorded": ("本次查看已记入审计账。", "This look was recorded in the audit book."),
    "names_sealed": (
        "{count} 处人员姓名已封存，各表只显示代号。",
        "{count} names of people were sealed; tables show pseudonyms only.",
    ),
    # --- help -------------------------------------------------------------------------------------------------------
    "help.account": (
        "以哪个账号运行（或环境变量 GEO_MONITOR_ACCOUNT；密码用 GEO_MONITOR_PASSWORD）",
        "account to run as (or GEO_MONITOR_ACCOUNT; password in GEO_MONITOR_PASSWORD)",
    ),
    "help.as-owner": (
        "以文件夹所有者身份运行（仅本机 SQLite 工作区）",
        "run as the owner of the folder (SQLite workspaces only)",
    ),
    "help.login": ("登录本工作区。", "Sign in to this workspace."),
    "help.name": ("名称", "name"),
    "help.logout": ("退出登录。", "Sign out."),
    "help.whoami": ("显示当前账号和权限范围。", "Show who is signed in, and for which area."),
    "help.accounts": ("管理账号。", "Manage accounts."),
    "help.accounts.add": (
        "新建账号（密码在终端或标准输入给出）。",
        "Make an account (password from terminal or stdin).",
    ),
    "help.accounts.change": ("修改账号：角色、辖区、密码、停用。", "Change roles, areas, password, or disable."),
    "help.accounts.list": ("列出账号。", "List accounts."),
    "help.accounts.add.role": (
        "角色（可重复）：commander、analyst、uploader、auditor、admin",
        "role (may be repeated): commander, analyst, uploader, auditor, admin",
    ),
    "help.accounts.change.role": ("新的角色（可重复，整体替换）", "new roles (may be repeated; replace the old ones)"),
    "help.accounts.add.agency": ("所属单位（须已登记）", "agency (registered)"),
    "help.adcode": ("行政区划代码（可重复）；全流域用 100000", "adcode (may be repeated); 100000 for the whole basin"),
    "help.identity": ("统一认证身份（签发者|主体），代替密码", "identity (issuer|subject) instead of a password"),
    "help.password": ("设新密码", "set a new password"),
    "help.disable": ("停用", "disable"),
    "help.enable": ("启用", "enable"),
    "help.unlock": ("解除锁定", "unlock"),
    "help.agencies": ("登记单位及其辖区。", "Register agencies and the places they answer for."),
    "help.agencies.add": ("登记单位，或改其辖区。", "Register an agency, or move it."),
    "help.agencies.list": ("列出已登记的单位。", "List registered agencies."),
    "help.shares": ("单位之间的数据共享。", "What agencies share with each other."),
    "help.shares.add": ("让另一单位看到某表，可隐藏字段。", "Let another agency see a table, with fields hidden."),
    "help.shares.list": ("列出共享。", "List shares."),
    "help.shares.end": ("结束共享。", "End a share."),
    "help.shares.add.table": ("数据表：seizures、patrols、units、positions", "seizures, patrols, units or positions"),
    "help.shares.add.from": ("提供单位", "agency that shares"),
    "help.shares.add.to": ("接收单位", "agency that sees"),
    "help.shares.add.reason": ("事由（必填）", "why (needed)"),
    "help.shares.add.hide": ("隐藏的字段，逗号分隔", "fields to hide, separated by commas"),
    "help.number": ("编号", "number"),
    "help.audit": ("审计账。", "The audit book."),
    "help.audit.verify": ("逐条核对审计账是否被改动。", "Check that nothing in the audit book was altered."),
    "help.audit.verify.head": ("抄存在别处的校验值", "a head kept elsewhere"),
    "help.audit.head": ("显示当前校验值，供抄存。", "Show the head, to be kept elsewhere."),
    "help.persons": ("显示报告中的人员姓名（记入审计账）。", "Show the names in a report (each look is recorded)."),
    "help.persons.report": ("报告编号", "report id"),
    "help.persons.reason": ("查看事由（必填）", "why (needed)"),
}
