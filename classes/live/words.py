"""The words that the room's scripts say. They go to the page as JSON, in its language; no script has its
own.
"""

from django.utils.translation import gettext as _


def room_words() -> dict[str, str]:
    """Every sentence of static/live/*.js by its name; {places} are filled there."""
    return {
        # people
        "me": _("我"),
        "lecturer": _("讲师"),
        "assistant": _("助教"),
        "trainee": _("学员"),
        "people_count": _("在线 {online}·不在 {away}"),
        "online_count": _("在线 {n} 人"),
        "here": _("在线"),
        "away": _("不在"),
        "not_signed_in": _("未签到"),
        "hand_up": _("举手 {time}"),
        "lower": _("放下"),
        "answered": _("已应答"),
        "waiting": _("等应答"),
        # talk
        "no_messages": _("还没有人说话"),
        "sending": _("正在发送"),
        # time
        "hours": _("{n} 小时"),
        "minutes": _("{n} 分"),
        "seconds": _("{n} 秒"),
        "time_left": _("还剩 {n} 秒"),
        # the network
        "link_connecting": _("正在连接"),
        "link_good": _("网络良好"),
        "link_weak": _("网络弱"),
        "link_broken": _("正在重新连接"),
        "link_stopped": _("已断开"),
        "saving_because_weak": _("网络弱，先只传声音和课件，不影响学时"),
        "taken_over": _("您在另一台设备上进了课堂，这里先停下。同一时间只算一处"),
        "continue_here": _("在这里继续上课"),
        "signed_out": _("登录已经过期，请重新登录再进课堂"),
        "not_allowed": _("这个课堂只有本班的讲师、助教和在册学员能进"),
        "unreachable": _("没有连上，请检查网络后再试"),
        "trouble": _("平台这会儿没能处理，请稍后再试"),
        # pictures
        "no_media": _("现在没有直播画面，其他功能照常使用"),
        "no_picture_yet": _("讲师还没有打开画面"),
        "sound_only": _("只传声音和课件"),
        "lesson_over": _("这节课已经结束"),
        "speaking": _("{name}正在讲"),
        "nobody_speaks": _("现在没有人在讲"),
        "camera_blocked": _(
            "浏览器没有打开摄像头。请点右上角“…”，选“在浏览器中打开”，再允许使用摄像头和麦克风"
        ),
        # checks
        "roll_call": _("点名"),
        "question": _("随机题"),
        "desk": _("点名和随机题"),
        "desk_hint": _("点名问所有在课堂里的学员；随机题由平台随机抽一名学员，也可以问所有人。"),
        "desk_closed": _("开始上课以后可以点名和提问。"),
        "roll_call_running": _("正在点名，已应答 {answered} 人，还有 {silent} 人没应答"),
        "question_running": _("正在答题，已应答 {answered} 人，还有 {silent} 人没应答"),
        "answer_share": _("{answered} 人已应答，{silent} 人未应答"),
        "sign_ins_waiting": _("{n} 人等您确认签到"),
        "due": _("{from} 发起，{at} 截止"),
        "online": _("在线"),
        "offline": _("断线"),
        "missed_hint": _("没应答不清零：从上一次证实在场到截止，这段先不算，学员可以申诉或看回放补。"),
        "recap": _("{answered} 人应答，共 {asked} 人"),
        "are_you_there": _("点名了，您在吗？"),
        "i_am_here": _("我在"),
        "you_answered": _("已收到您的应答"),
        "you_missed": _(
            "这一次没有收到您的应答。从上一次确认您在课堂起，到这次截止，先不算时间；"
            "在“我的学时”里可以看到怎么补。"
        ),
    }
