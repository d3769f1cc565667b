import {
  Flags,
  NumericParameters,
  OptionParameters,
  type NumericParametersIds,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { flagField, numberField, selectField, type NumberRange } from './fields';
import type { SettingsHost } from './host';
import type { SettingsTextKey, SettingsTexts } from './texts';

/** The numbers of the picture, in the order of the panel. */
const NUMBERS: readonly (readonly [id: NumericParametersIds, text: SettingsTextKey, range: NumberRange])[] = [
  [NumericParameters.ViewportResScale, 'settings.resolution-scale', { min: 0.1, max: 3, factor: 100 }],
  [NumericParameters.WebRTCFPS, 'settings.fps', { min: 1, max: 999 }],
  [NumericParameters.WebRTCMaxBitrate, 'settings.bitrate.max', { min: 0, max: 500_000 }],
  [NumericParameters.WebRTCMinBitrate, 'settings.bitrate.min', { min: 0, max: 500_000 }],
  [NumericParameters.CompatQualityMax, 'settings.quality.max', { min: 0, max: 100 }],
  [NumericParameters.CompatQualityMin, 'settings.quality.min', { min: 0, max: 100 }],
];

/** The fields of the picture with their present values. */
export function pictureFields(host: SettingsHost, texts: SettingsTexts): readonly HTMLElement[] {
  const { config, webRtcController } = host.stream;
  const numbers = NUMBERS.map(([id, text, range]) =>
    numberField(`setting-${id}`, texts[text], range, config.getNumericSettingValue(id), (value) => {
      host.choose(id, value);
      if (id === NumericParameters.ViewportResScale) {
        webRtcController.videoPlayer.updateVideoStreamSize(); // the library does so for the switch alone
      }
    }),
  );
  const owner = flagField(
    'setting-ControlsQuality',
    texts['settings.quality-owner'],
    webRtcController.isQualityController,
    (wanted) => {
      config.setFlagEnabled(Flags.IsQualityController, wanted);
    },
  );
  return [...codecField(host, texts), ...numbers, ...layerField(host, texts), owner];
}

/** The codecs that both sides support, each once; the library lists each profile. */
function codecField(host: SettingsHost, texts: SettingsTexts): readonly HTMLElement[] {
  const { options, selected } = host.stream.config.getSettingOption(OptionParameters.PreferredCodec);
  const name = (codec: string): string => codec.split(' ')[0] ?? '';
  const codecs = new Map(options.map((option) => [name(option), option]));
  if (codecs.size < 2) {
    return [];
  }
  const choices = [...codecs.keys()].map((codec) => [codec, codec] as const);
  const field = selectField('setting-PreferredCodec', texts['settings.codec'], choices, name(selected), (codec) => {
    host.choose(OptionParameters.PreferredCodec, codecs.get(codec) ?? codec);
    host.renegotiate();
  });
  return [field];
}

/** The layers of a stream from an SFU; other streams have one. */
function layerField(host: SettingsHost, texts: SettingsTexts): readonly HTMLElement[] {
  const { options, selected } = host.stream.config.getSettingOption(OptionParameters.PreferredQuality);
  if (options.length < 2) {
    return [];
  }
  const choices = options.map((option) => [option, option] as const);
  return [
    selectField('setting-PreferredQuality', texts['settings.layer'], choices, selected, (layer) => {
      host.stream.config.setOptionSettingValue(OptionParameters.PreferredQuality, layer);
    }),
  ];
}
