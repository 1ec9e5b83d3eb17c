//! Secrets and signatures (Standard Webhooks, symmetric).

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::WebhookError;

const PREFIX: &str = "whsec_";

/// A key that the server and one receiver share.
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// A new random secret of 32 bytes.
    ///
    /// # Errors
    /// [`WebhookError::Random`].
    pub(super) fn random() -> Result<Self, WebhookError> {
        let mut bytes = vec![0; 32];
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads `whsec_` and the base64 of 24 to 64 bytes; `None` if the text has another form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        (24..=64).contains(&bytes.len()).then_some(Self(bytes))
    }

    pub(super) fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The value of `webhook-signature` for a message sent at `timestamp` (seconds since 1970).
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &str) -> Option<String> {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// A random id: `wh_` and 16 hexadecimal digits.
///
/// # Errors
/// [`WebhookError::Random`].
pub(super) fn random_id() -> Result<String, WebhookError> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(format!("wh_{:016x}", u64::from_le_bytes(bytes)))
}

fn fill(bytes: &mut [u8]) -> Result<(), WebhookError> {
    getrandom::fill(bytes).map_err(WebhookError::Random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_another_program_computes() {
        // Computed by Python: base64(hmac.new(bytes(range(32)), b"rev-8-wh_1.1614265330.{\"a\":\"đất\"}",
        // sha256).digest()).
        let secret = Secret::parse("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        assert_eq!(
            secret.sign("rev-8-wh_1", 1_614_265_330, "{\"a\":\"đất\"}").unwrap(),
            "v1,SRIvNcMh2id46G4a0USv53ZvcIBPcU8gp2es4Z5eriQ="
        );
    }

    #[test]
    fn secrets_read_back_and_short_ones_are_refused() {
        let one = Secret::random().unwrap();
        let text = one.to_text();
        assert_eq!(Secret::parse(&text).unwrap().to_text(), text);
        assert_ne!(Secret::random().unwrap().to_text(), text);
        for bad in ["", "whsec_", "whsec_AAECAw==", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_!"]
        {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
    }
}
