//! `PUT` and `PATCH /api/tenant/{tenantId}`

use beadle_common::resources::tenants::update_tenant;

use crate::answer::Answer;
use crate::extract::Call;
use crate::resource::update_by;

pub(super) async fn update(call: Call) -> Answer {
    update_by(call, update_tenant).await
}
