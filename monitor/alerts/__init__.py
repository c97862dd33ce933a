"""Who is told what, when and how.

subscriptions   the file that people write → checked subscriptions
schedule        whose turn it is; when a message is tried again          pure
rules           which stories are news for a reader                      pure
digest          stories with their evidence → messages                   pure, with the templates of `rendering`
channels, mail  messages → SMTP, files, Apprise
operator        what those who run it are told                           pure, but for the heartbeat
unsubscribe     the answer to the link in each message
"""

from monitor.alerts.subscriptions import demo_subscription

__all__ = ["demo_subscription"]
