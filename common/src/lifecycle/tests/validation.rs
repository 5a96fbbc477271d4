//! What is refused, and that all of it is said at once.

use super::take::application;
use super::*;
use crate::test_support::both_databases;

/// The broken rules of a take that must be refused.
fn refused(db: &Db, call: &Call, request: &TakeRequest) -> Vec<(Field, Problem)> {
    match prepare(db, call, request) {
        Err(Refusal::Invalid(broken)) => broken.iter().map(|v| (v.field, v.problem)).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

fn everything_that_is_missing_is_said_at_once(db: &Db) {
    let world = World::new(db);
    assert_eq!(
        refused(db, &call(NOW), &TakeRequest::default()),
        [
            (Field::ActioneeUserId, Problem::Missing),
            (Field::ActionerUserId, Problem::Missing),
            (Field::UserActionId, Problem::Missing),
        ]
    );
    let without_expiry = TakeRequest {
        expiry: None,
        ..world.request()
    };
    assert_eq!(
        refused(db, &call(NOW), &without_expiry),
        [(Field::Expiry, Problem::Missing)]
    );
}

fn everything_that_is_wrong_is_said_at_once(db: &Db) {
    let world = World::new(db);
    let other = tenant("Other");
    let (mine, theirs) = (ApplicationId::random(), ApplicationId::random());
    let retired = UserAction {
        active: false,
        ..definition("Retired", true)
    };
    let rows = (retired.clone(), other, world.tenant.id);
    write(db, move |c| {
        rows.0.insert(c)?;
        rows.1.insert(c)?;
        application(mine, rows.2).insert(c)?;
        application(theirs, rows.1.id).insert(c)
    });
    let request = TakeRequest {
        common: Common {
            actioner_user_id: Some(UserId::random()),
            ..Common::default()
        },
        actionee_user_id: Some(world.actionee.id),
        user_action_id: Some(retired.id),
        application_ids: vec![theirs, mine, ApplicationId::random()],
        expiry: None,
        option: Some("Nicely".to_owned()),
        reason_id: Some(ReasonId::random()),
    };
    assert_eq!(
        refused(db, &call(NOW), &request),
        [
            (Field::ActionerUserId, Problem::Invalid),
            (Field::UserActionId, Problem::Inactive),
            (Field::Expiry, Problem::Missing),
            (Field::Option, Problem::Invalid),
            (Field::ReasonId, Problem::Invalid),
            (Field::ApplicationId(0), Problem::Invalid),
            (Field::ApplicationId(2), Problem::Invalid),
        ]
    );
}

fn ids_of_nothing_are_invalid(db: &Db) {
    let world = World::new(db);
    let request = TakeRequest {
        actionee_user_id: Some(UserId::random()),
        user_action_id: Some(UserActionId::random()),
        ..world.request()
    };
    assert_eq!(
        refused(db, &call(NOW), &request),
        [
            (Field::ActioneeUserId, Problem::Invalid),
            (Field::UserActionId, Problem::Invalid),
        ]
    );
}

fn an_actioner_of_another_tenant_may_act_unless_the_call_is_scoped(db: &Db) {
    let world = World::new(db);
    let other = tenant("Other");
    let admin = user(&other);
    let actioner_user_id = Some(admin.id);
    write(db, move |c| {
        other.insert(c)?;
        admin.insert(c)
    });
    let request = TakeRequest {
        common: Common {
            actioner_user_id,
            ..Common::default()
        },
        ..world.request()
    };
    let scoped = Call {
        scope: Some(world.tenant.id),
        ..call(NOW)
    };
    assert_eq!(
        refused(db, &scoped, &request),
        [(Field::ActionerUserId, Problem::Invalid)]
    );
    assert!(prepare(db, &scoped, &world.request()).is_ok());
    let log = stored(db, &take(db, &call(NOW), &request));
    assert_eq!(
        log.tenant_id, world.tenant.id,
        "the tenant is the actionee's"
    );
}

fn what_is_outside_the_scope_behaves_as_absent(db: &Db) {
    let world = World::new(db);
    let other = tenant("Other");
    let stranger = user(&other);
    let (scope, actioner) = (Some(other.id), stranger.id);
    write(db, move |c| {
        other.insert(c)?;
        stranger.insert(c)
    });
    let foreign = Call { scope, ..call(NOW) };
    let mut request = world.request();
    request.common.actioner_user_id = Some(actioner);
    assert_eq!(
        refused(db, &foreign, &request),
        [(Field::ActioneeUserId, Problem::Invalid)]
    );
    let id = take(db, &call(NOW), &world.request()).log().id;
    let modified =
        db.read_blocking(|c| prepare_modify(c, &setup(), &foreign, id, &world.modify("mine", NOW)));
    assert!(matches!(modified, Err(Refusal::NotFound)));
    let canceled =
        db.read_blocking(|c| prepare_cancel(c, &setup(), &foreign, id, &world.cancel("mine")));
    assert!(matches!(canceled, Err(Refusal::NotFound)));
}

fn a_definition_for_some_tenants_serves_no_others(db: &Db) {
    let world = World::new(db);
    let definition_for = |tenant: TenantId, name: &str| UserAction {
        tenant_ids: Json(vec![tenant]),
        ..definition(name, true)
    };
    let ours = definition_for(world.tenant.id, "Ours");
    let theirs = definition_for(TenantId::random(), "Theirs");
    let (our_id, their_id) = (ours.id, theirs.id);
    write(db, move |c| {
        ours.insert(c)?;
        theirs.insert(c)
    });
    let request = |id| TakeRequest {
        user_action_id: Some(id),
        ..world.request()
    };
    assert!(prepare(db, &call(NOW), &request(our_id)).is_ok());
    assert_eq!(
        refused(db, &call(NOW), &request(their_id)),
        [(Field::UserActionId, Problem::Invalid)]
    );
}

fn deactivated_actionees_can_be_acted_upon(db: &Db) {
    let world = World::new(db);
    let gone = User {
        active: false,
        ..world.actionee.clone()
    };
    write(db, move |c| gone.update(c));
    assert!(prepare(db, &call(NOW), &world.request()).is_ok());
}

fn only_active_temporal_logs_can_be_modified_or_canceled(db: &Db) {
    let world = World::new(db);
    let reward = TakeRequest {
        user_action_id: Some(world.reward.id),
        ..world.request()
    };
    let reward = take(db, &call(NOW), &reward);
    let ban = take(db, &call(NOW), &world.request());
    let canceled = take(db, &call(NOW), &world.request());
    cancel(db, NOW, canceled.log(), &world.cancel("enough"));
    let expired = NOW.plus(DAY);
    for (log, now) in [(&reward, NOW), (&ban, expired), (&canceled, NOW)] {
        let id = log.log().id;
        let results = [
            db.read_blocking(|c| {
                let request = ModifyRequest::default();
                prepare_modify(c, &setup(), &call(now), id, &request)
            }),
            db.read_blocking(|c| {
                let request = CancelRequest::default();
                prepare_cancel(c, &setup(), &call(now), id, &request)
            }),
        ];
        for (result, needs_expiry) in results.into_iter().zip([true, false]) {
            let Err(Refusal::Invalid(broken)) = result else {
                panic!("not refused: {result:?}");
            };
            let fields: Vec<Field> = broken.iter().map(|v| v.field).collect();
            let wanted: &[Field] = match needs_expiry {
                true => &[Field::ActionerUserId, Field::Expiry, Field::ActionId],
                false => &[Field::ActionerUserId, Field::ActionId],
            };
            assert_eq!(fields, wanted);
        }
    }
}

both_databases!(
    everything_that_is_missing_is_said_at_once,
    everything_that_is_wrong_is_said_at_once,
    ids_of_nothing_are_invalid,
    an_actioner_of_another_tenant_may_act_unless_the_call_is_scoped,
    what_is_outside_the_scope_behaves_as_absent,
    a_definition_for_some_tenants_serves_no_others,
    deactivated_actionees_can_be_acted_upon,
    only_active_temporal_logs_can_be_modified_or_canceled,
);
