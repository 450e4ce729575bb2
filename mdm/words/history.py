"""What each action of the change history is called, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core.models import HistoryEntry
from mdm.words import values
from mdm.words.glossary import ATTENTION, DANGER, GOOD, NEUTRAL, PROGRESS

PLAIN_LISTS = frozenset({"scopes", "commands", "names"})


@dataclass(frozen=True, slots=True)
class Words:
    text: Any
    tone: str = NEUTRAL
    icon: str = "pencil"


ACTIONS: dict[str, Words] = {
    "core.tenant.created": Words(_("Organisation created"), GOOD, "building"),
    "core.tenant.changed": Words(_("Organisation changed"), NEUTRAL, "building"),
    "core.tenant.terms_accepted": Words(_("Terms of managing accepted"), GOOD, "check"),
    "core.tenant.setup_finished": Words(_("Setup finished"), GOOD, "circle-check"),
    "core.history.retention_changed": Words(
        _("How long the history is kept changed"), ATTENTION, "history"
    ),
    "core.history.pruned": Words(_("Old history deleted"), NEUTRAL, "trash"),
    "core.list.exported": Words(_("List exported"), NEUTRAL, "download"),
    "core.webhook.created": Words(_("Webhook added"), ATTENTION, "send"),
    "core.webhook.changed": Words(_("Webhook changed"), ATTENTION, "send"),
    "core.webhook.resumed": Words(_("Webhook started again"), NEUTRAL, "refresh"),
    "core.webhook.stopped": Words(_("Webhook stopped"), DANGER, "alert-triangle"),
    "core.webhook.deleted": Words(_("Webhook deleted"), NEUTRAL, "trash"),
    "core.key.created": Words(_("Key created"), NEUTRAL, "key"),
    "core.key.retired": Words(_("Key retired"), NEUTRAL, "key"),
    "accounts.user.created": Words(_("Person added"), GOOD, "user"),
    "accounts.user.edited": Words(_("Person changed"), NEUTRAL, "user"),
    "accounts.user.enabled": Words(_("Person enabled"), GOOD, "user"),
    "accounts.user.disabled": Words(_("Person disabled"), ATTENTION, "user-off"),
    "accounts.user.readmitted": Words(_("Let back in from the console"), ATTENTION, "key"),
    "accounts.roles.changed": Words(_("Roles changed"), ATTENTION, "shield-check"),
    "accounts.password.changed": Words(_("Password changed"), NEUTRAL, "key"),
    "accounts.passkey.added": Words(_("Passkey added"), ATTENTION, "key"),
    "accounts.passkey.removed": Words(_("Passkey removed"), ATTENTION, "key"),
    "accounts.session.ended": Words(_("Sessions ended"), NEUTRAL, "logout"),
    "accounts.second_factor.added": Words(_("Second factor added"), GOOD, "shield-check"),
    "accounts.second_factor.removed": Words(_("Second factor removed"), ATTENTION, "shield-check"),
    "accounts.recovery_codes.created": Words(_("Recovery codes made"), NEUTRAL, "key"),
    "accounts.token.created": Words(_("API token created"), ATTENTION, "key"),
    "accounts.token.revoked": Words(_("API token revoked"), NEUTRAL, "key"),
    "accounts.terms.published": Words(_("Terms published"), ATTENTION, "certificate"),
    "accounts.terms.retired": Words(_("Terms retired"), NEUTRAL, "archive"),
    "accounts.terms.deleted": Words(_("Terms deleted"), NEUTRAL, "trash"),
    "accounts.terms.accepted": Words(_("Terms accepted"), GOOD, "check"),
    "accounts.view.shared": Words(_("View shared"), NEUTRAL, "eye"),
    "accounts.view.deleted": Words(_("Shared view deleted"), NEUTRAL, "trash"),
    "accounts.policy.changed": Words(_("Enrollment policy changed"), NEUTRAL, "adjustments"),
    "accounts.group.created": Words(_("Group of people made"), GOOD, "users"),
    "accounts.group.changed": Words(_("Group of people changed"), NEUTRAL, "pencil"),
    "accounts.group.deleted": Words(_("Group of people deleted"), ATTENTION, "trash"),
    "accounts.group.members_added": Words(_("People put into the group"), NEUTRAL, "users"),
    "accounts.group.members_removed": Words(_("People taken out of the group"), NEUTRAL, "users"),
    "accounts.group.recomputed": Words(_("The rule chose other people"), NEUTRAL, "refresh"),
    "accounts.user.groups_changed": Words(_("Groups of the person changed"), NEUTRAL, "users"),
    "accounts.user.attributes_changed": Words(
        _("Attributes of the person changed"), NEUTRAL, "pencil"
    ),
    "accounts.attribute.created": Words(_("Attribute defined"), GOOD, "adjustments"),
    "accounts.attribute.changed": Words(_("Attribute changed"), NEUTRAL, "adjustments"),
    "accounts.attribute.deleted": Words(_("Attribute deleted"), ATTENTION, "trash"),
    "devices.group.created": Words(_("Group of devices made"), GOOD, "devices"),
    "devices.group.changed": Words(_("Group of devices changed"), NEUTRAL, "pencil"),
    "devices.group.deleted": Words(_("Group of devices deleted"), ATTENTION, "trash"),
    "devices.group.members_added": Words(_("Devices put into the group"), NEUTRAL, "devices"),
    "devices.group.members_removed": Words(_("Devices taken out of the group"), NEUTRAL, "devices"),
    "devices.group.recomputed": Words(_("The rule chose other devices"), NEUTRAL, "refresh"),
    "devices.device.groups_changed": Words(_("Groups of the device changed"), NEUTRAL, "devices"),
    "devices.device.attributes_changed": Words(
        _("Attributes of the device changed"), NEUTRAL, "pencil"
    ),
    "devices.cleanup.changed": Words(_("Cleanup rule changed"), ATTENTION, "adjustments"),
    "devices.cleanup.ordered": Words(_("Cleanup ordered"), ATTENTION, "trash"),
    "devices.cleanup.done": Words(_("Cleanup done"), NEUTRAL, "trash"),
    "devices.device.enrolling": Words(_("Enrollment began"), PROGRESS, "hourglass"),
    "devices.device.merged": Words(_("Joined with an earlier entry"), ATTENTION, "devices"),
    "devices.device.re_enrolled": Words(_("Enrolled again"), PROGRESS, "rotate"),
    "devices.device.active": Words(_("Became active"), GOOD, "circle-check"),
    "devices.device.retire_pending": Words(_("Retire ordered"), ATTENTION, "clock"),
    "devices.device.retire_sent": Words(_("Retire sent to the device"), ATTENTION, "send"),
    "devices.device.retired": Words(_("Retired"), NEUTRAL, "archive"),
    "devices.device.wipe_pending": Words(_("Wipe ordered"), DANGER, "clock"),
    "devices.device.wipe_sent": Words(_("Wipe sent to the device"), DANGER, "send"),
    "devices.device.wiped": Words(_("Wiped"), NEUTRAL, "eraser"),
    "devices.device.reset": Words(_("Was reset without an order"), NEUTRAL, "rotate"),
    "devices.device.unenrolled": Words(
        _("Management was removed on the device"), ATTENTION, "plug-connected-x"
    ),
    "devices.device.abandoned": Words(_("Enrollment never finished"), NEUTRAL, "circle-dashed"),
    "devices.device.archived": Words(_("Set aside as an earlier enrollment"), NEUTRAL, "archive"),
    "devices.device.deleted": Words(_("Entry deleted"), DANGER, "trash"),
    "devices.check_in.requested": Words(_("Check-in requested"), PROGRESS, "refresh"),
    "devices.lock.requested": Words(_("Lock ordered"), ATTENTION, "lock"),
    "devices.clear_passcode.requested": Words(
        _("Removal of the passcode ordered"), ATTENTION, "lock-open"
    ),
    "devices.clear_passcode.confirmed": Words(_("Passcode removed"), ATTENTION, "lock-open"),
    "devices.restart.requested": Words(_("Restart ordered"), PROGRESS, "rotate"),
    "devices.restart.confirmed": Words(_("Restarts"), GOOD, "rotate"),
    "devices.shut_down.requested": Words(_("Shutting down ordered"), ATTENTION, "power"),
    "devices.shut_down.confirmed": Words(_("Shuts down"), NEUTRAL, "power"),
    "devices.rename.requested": Words(_("New name ordered"), PROGRESS, "pencil"),
    "devices.lost_mode.requested": Words(_("Lost mode ordered"), ATTENTION, "map-pin"),
    "devices.lost_mode.started": Words(_("Lost mode is on"), ATTENTION, "map-pin"),
    "devices.lost_mode.ending": Words(_("End of lost mode ordered"), PROGRESS, "lock-open"),
    "devices.lost_mode.ended": Words(_("Lost mode is off"), GOOD, "lock-open"),
    "devices.location.requested": Words(_("Asked where it is"), ATTENTION, "map-pin"),
    "devices.location.received": Words(_("Told where it is"), NEUTRAL, "map-pin"),
    "devices.location.viewed": Words(_("Its place was looked at"), ATTENTION, "eye"),
    "devices.sound.requested": Words(_("Sound ordered"), PROGRESS, "volume"),
    "devices.sound.played": Words(_("Plays a sound"), NEUTRAL, "volume"),
    "devices.device.assigned": Words(_("Given to another person"), ATTENTION, "user"),
    "devices.device.ownership_changed": Words(_("Ownership changed"), NEUTRAL, "building"),
    "devices.order.closed": Words(
        _("Order closed without an answer of the device"), DANGER, "circle-x"
    ),
    "devices.command.cancelled": Words(_("Command cancelled"), NEUTRAL, "ban"),
    "devices.pin.revealed": Words(_("Lock PIN was looked at"), ATTENTION, "eye"),
    "devices.queue.cancelled": Words(_("Waiting commands were cancelled"), NEUTRAL, "ban"),
    "devices.retire.cancelled": Words(_("Retire cancelled"), NEUTRAL, "ban"),
    "devices.wipe.cancelled": Words(_("Wipe cancelled"), NEUTRAL, "ban"),
    "devices.operation.ordered": Words(_("Order to several devices"), ATTENTION, "list-check"),
    "devices.operation.cancelled": Words(
        _("Order to several devices cancelled"), NEUTRAL, "list-check"
    ),
    "devices.operation.finished": Words(
        _("Order to several devices carried out"), NEUTRAL, "list-check"
    ),
    "devices.operation.mismatched": Words(
        _("Order was not the one that was approved: stopped"), DANGER, "alert-triangle"
    ),
    "devices.wipe.held": Words(_("Wipe waits for approval"), ATTENTION, "hourglass"),
    "devices.wipe.approved": Words(_("Wipe approved"), DANGER, "circle-check"),
    "devices.wipe.released": Words(_("Wipe released after the delay"), DANGER, "clock"),
    "devices.wipe.stopped": Words(_("Wipe stopped"), NEUTRAL, "ban"),
    "devices.wipe.unapproved": Words(_("Wipe was not approved in time"), NEUTRAL, "circle-x"),
    "devices.limit.requested": Words(_("Higher wipe limit asked for"), ATTENTION, "shield-check"),
    "devices.limit.approved": Words(_("Higher wipe limit approved"), ATTENTION, "shield-check"),
    "devices.limit.released": Words(
        _("Higher wipe limit released after the delay"), ATTENTION, "shield-check"
    ),
    "devices.limit.stopped": Words(_("Higher wipe limit stopped"), NEUTRAL, "ban"),
    "devices.limit.unapproved": Words(
        _("Higher wipe limit was not approved in time"), NEUTRAL, "circle-x"
    ),
    "devices.limit.changed": Words(_("Wipe limit changed"), ATTENTION, "shield-check"),
    "devices.freeze.began": Words(_("Destructive orders frozen"), DANGER, "player-pause"),
    "devices.freeze.ended": Words(_("Freeze lifted"), ATTENTION, "player-pause"),
    "devices.identity.issued": Words(_("Certificate issued"), NEUTRAL, "certificate"),
    "devices.identity.renewed": Words(_("Certificate issued anew"), NEUTRAL, "certificate"),
    "devices.identity.revoked": Words(_("Identity revoked"), NEUTRAL, "certificate"),
    "devices.command.expired": Words(_("The device did not answer in time"), ATTENTION, "circle-x"),
    "devices.command.failed": Words(_("The device refused a command"), ATTENTION, "alert-triangle"),
    "devices.lock.confirmed": Words(_("Locked"), GOOD, "lock"),
    "devices.wipe.failed": Words(
        _("The device refused to wipe itself, and may do so all the same"), DANGER, "alert-triangle"
    ),
    "devices.device.changed": Words(_("The device tells something new"), NEUTRAL, "refresh"),
    "apple.identity.renewed": Words(_("Certificate renewed"), NEUTRAL, "certificate"),
    "apple.identity.mismatched": Words(
        _("Tried to speak for another device: refused"), DANGER, "alert-triangle"
    ),
    "apple.identity.outdated": Words(
        _("Came with a replaced certificate: refused"), ATTENTION, "alert-triangle"
    ),
    "apple.result.refused": Words(
        _("Answered a command of another device: refused"), DANGER, "alert-triangle"
    ),
    "apple.token.replayed": Words(
        _("Sent an old push token again: ignored"), ATTENTION, "alert-triangle"
    ),
    "apple.management.withdrawn": Words(
        _("Came back after management had ended: told to leave"), ATTENTION, "plug-connected-x"
    ),
    "apple.device.unexpected": Words(
        _("Contacted us although it should be gone"), ATTENTION, "alert-triangle"
    ),
    "apple.device.changed_hands": Words(
        _("Enrolled again by another person"), DANGER, "alert-triangle"
    ),
    "apple.device.enrolled_elsewhere": Words(
        _("The same device enrolled in another organisation"), ATTENTION, "alert-triangle"
    ),
    "apple.device.known_elsewhere": Words(
        _("The same device is known in another organisation"), ATTENTION, "alert-triangle"
    ),
    "apple.user.logged_in": Words(_("A user of the Mac is managed from now on"), NEUTRAL, "user"),
    "apple.bootstrap_token.stored": Words(_("Bootstrap token stored"), NEUTRAL, "key"),
    "apple.bootstrap_token.deleted": Words(_("Bootstrap token deleted"), NEUTRAL, "key"),
    "apple.bootstrap_token.released": Words(
        _("Bootstrap token given to the device"), NEUTRAL, "key"
    ),
    "core.tenant.address_fixed": Words(
        _("The address of this server is fixed from now on"), ATTENTION, "building"
    ),
    "enrollment.invitation.sent": Words(_("Invitation sent"), PROGRESS, "send"),
    "enrollment.invitation.resent": Words(_("Invitation sent again"), PROGRESS, "send"),
    "enrollment.invitation.reminded": Words(_("Reminded of the invitation"), NEUTRAL, "mail"),
    "enrollment.invitation.opened": Words(_("Invitation opened"), PROGRESS, "mail-opened"),
    "enrollment.invitation.in_progress": Words(_("Enrollment began"), PROGRESS, "hourglass"),
    "enrollment.invitation.completed": Words(_("Invitation completed"), GOOD, "circle-check"),
    "enrollment.invitation.expired": Words(_("Invitation expired"), ATTENTION, "circle-x"),
    "enrollment.invitation.revoked": Words(_("Invitation revoked"), NEUTRAL, "ban"),
    "enrollment.invitation.bounced": Words(_("Invitation came back"), DANGER, "alert-triangle"),
    "enrollment.link.created": Words(_("Registration link made"), ATTENTION, "copy"),
    "enrollment.links.voided": Words(_("All registration links renewed"), ATTENTION, "rotate"),
    "enrollment.code.issued": Words(_("Code for a camera made"), NEUTRAL, "key"),
    "enrollment.code.used": Words(_("Code for a camera used"), PROGRESS, "device-mobile"),
    "enrollment.code.disowned": Words(
        _("Use of a code ended: it was somebody else"), DANGER, "alert-triangle"
    ),
    "enrollment.client.signed_in": Words(_("Signed in to the phone app"), NEUTRAL, "device-mobile"),
    "enrollment.client.signed_out": Words(_("Signed out of the phone app"), NEUTRAL, "ban"),
    "enrollment.pin.revealed": Words(_("PIN made and looked at"), ATTENTION, "eye"),
    "enrollment.pin.issued": Words(_("PIN made"), NEUTRAL, "key"),
    "enrollment.pin.requested": Words(_("New PIN requested"), NEUTRAL, "key"),
    "enrollment.pin.accepted": Words(_("PIN accepted"), GOOD, "key"),
    "enrollment.pin.refused": Words(_("Wrong PIN"), ATTENTION, "key"),
    "enrollment.pin.voided": Words(_("PIN void after wrong tries"), DANGER, "key"),
    "enrollment.tries.exceeded": Words(_("Too many tries"), DANGER, "alert-triangle"),
    "enrollment.session.opened": Words(_("Registration page opened"), PROGRESS, "mail-opened"),
    "enrollment.session.authenticated": Words(_("Person confirmed"), PROGRESS, "key"),
    "enrollment.session.profile_issued": Words(_("Profile prepared"), PROGRESS, "certificate"),
    "enrollment.session.downloaded": Words(_("Profile downloaded"), PROGRESS, "download"),
    "enrollment.session.identity_issued": Words(_("Identity issued"), PROGRESS, "shield-check"),
    "enrollment.session.checked_in": Words(_("Checked in"), PROGRESS, "device-mobile"),
    "enrollment.session.active": Words(_("Enrollment finished"), GOOD, "circle-check"),
    "enrollment.session.reminded": Words(_("Reminded to finish"), NEUTRAL, "mail"),
    "enrollment.browser.subscribed": Words(
        _("Asked to be reminded in the browser"), NEUTRAL, "device-laptop"
    ),
    "enrollment.browser.forgotten": Words(
        _("Wants no more reminders in a browser"), NEUTRAL, "device-laptop"
    ),
    "enrollment.reminders.stopped": Words(_("Wants no more reminders"), NEUTRAL, "ban"),
    "enrollment.push_key.installed": Words(
        _("Credentials of a reminder channel kept"), ATTENTION, "key"
    ),
    "enrollment.push_key.removed": Words(
        _("Credentials of a reminder channel removed"), ATTENTION, "trash"
    ),
    "enrollment.push_key.tested": Words(_("Reminder channel tested"), NEUTRAL, "send"),
    "enrollment.session.resumed": Words(_("Enrollment taken up again"), PROGRESS, "hourglass"),
    "enrollment.session.expired": Words(_("Enrollment timed out"), ATTENTION, "circle-x"),
    "enrollment.session.cancelled": Words(_("Enrollment cancelled"), NEUTRAL, "ban"),
    "enrollment.session.refused": Words(_("Device turned away"), DANGER, "alert-triangle"),
    "apple.push_request.created": Words(_("Push certificate requested"), NEUTRAL, "certificate"),
    "apple.push_certificate.installed": Words(_("Push certificate installed"), GOOD, "certificate"),
    "apple.push_certificate.practice_installed": Words(
        _("Practice push certificate installed"), NEUTRAL, "certificate"
    ),
    "apple.push.paused": Words(_("Push paused: Apple refuses it"), DANGER, "player-pause"),
    "apple.push.resumed": Words(_("Push goes on"), GOOD, "send"),
    "apple.push.lost": Words(_("Cannot be woken up any more"), ATTENTION, "plug-connected-x"),
}


def words(action: str) -> Words:
    """Return how an action is told; one that nobody described yet is shown as it is stored."""
    return ACTIONS.get(action) or Words(action)


def changes(entry: HistoryEntry) -> list[dict[str, str]]:
    """Return what changed, field by field: before and after, or just a value."""
    shown = []
    for name, value in entry.data.items():
        label = values.field(name)
        if isinstance(value, list) and len(value) == 2 and name not in PLAIN_LISTS:
            before, after = (values.text(name, one, action=entry.action) for one in value)
            shown.append({"label": label, "before": before, "after": after})
        elif value not in ("", None, [], {}):
            text = values.text(name, value, action=entry.action)
            shown.append({"label": label, "value": text})
    return shown
