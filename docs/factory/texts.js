// What the page says, in two languages.

const en = {
  title: "Character factory",
  intro:
    "Every picture is drawn by a network in your browser. Choose attributes or leave them to " +
    "chance, keep what you like, and change, morph and mix it. Nothing leaves this device.",
  language: "中文",
  views: "Views",
  draw: "Draw",
  favourites: "Favourites",
  change: "Change",
  morph: "Morph",
  mix: "Mix",
  attributes: "Attributes",
  chosen: "{n} chosen",
  reset: "Leave all free",
  any: "any",
  "as it is": "as it is",
  none: "none",
  "hint draw": "What you leave at “any” is drawn by lot for each character.",
  "hint favourites": "Your favourites, newest first. They stay in this browser.",
  "hint change":
    "The same characters with other attributes. Empty places are filled by new characters.",
  "hint morph":
    "One character, from its own attributes to those you choose, in seven steps. The noise stays.",
  "hint mix":
    "From one character to another in seven steps. The attributes stay: those of the first one, " +
    "or what you choose.",
  drawNew: "Draw 16 new",
  drawMore: "16 more",
  newOthers: "New characters in the empty places",
  character: "Character",
  first: "First",
  second: "Second",
  path: "Path",
  linear: "straight line",
  spherical: "arc",
  "hint path":
    "Halfway on the straight line the noise is shorter than usual, and pictures differ less; " +
    "the arc keeps its length.",
  saveStrip: "Save the seven as PNG",
  exportFavourites: "Save as a file",
  importFavourites: "Add from a file…",
  limit: "Keep at most",
  noFavourites: "No favourites yet. Press the heart of a character.",
  seedTitle: "Open a share seed",
  seedHint: "A seed is the noise of a character in {n} letters. It holds no attributes.",
  seed: "Share seed",
  open: "Open",
  copy: "Copy",
  copied: "Seed copied.",
  copyFailed: "Copying is not allowed here; the seed is selected, press Ctrl+C.",
  savePng: "Save as PNG",
  close: "Close",
  addFavourite: "Add to favourites",
  removeFavourite: "Remove from favourites",
  look: "{name}: details",
  numbered: "Character {n}",
  step: "Step {n} of 7",
  model: "Model",
  modelHint:
    "Any generator that you export with <code>design-gans export RUN --format onnx</code>: choose " +
    "or drop the .onnx file and the .json file beside it.",
  openModel: "Open a model…",
  modelIs: "{name}: {width} × {height} pixels, {size} MB",
  loading: "Loading the network…",
  drawing: "Drawing…",
  drawn: "{n} characters in {seconds} s.",
  loaded: "{name} is loaded.",
  added: "Added to the favourites.",
  removed: "Removed from the favourites.",
  dropped: "The oldest favourites beyond {limit} are dropped: {n}.",
  notSaved: "This browser keeps nothing for this page: save the favourites as a file.",
  imported: "Favourites added from the file: {n}.",
  "error runtime-missing":
    "This site was built without its runtime (onnxruntime-web), or your browser could not start " +
    "it. Build the docs with access to the npm registry.",
  "error model-missing":
    "There is no model “{name}” on this site yet. Open one of your own below: a .onnx file and " +
    "its .json file.",
  "error model-broken": "This file is no network that can be run: it is damaged, or no ONNX file.",
  "error model-inputs":
    "The network and its .json do not fit together. It takes: {found}. Expected are “noise” and, " +
    "if the .json names attributes, “attributes”, of the lengths given there.",
  "error model-shape":
    "The network makes pictures of {found} (pictures × height × width × channels), expected from " +
    "its .json: {expected}.",
  "error description-broken": "The .json file is not as expected, at: {entry}.",
  "error files-needed": "Choose two files together: the network (.onnx) and its description (.json).",
  "error favourites-broken": "This file holds no favourites of this page.",
  "error favourites-other": "These favourites belong to another model: {model}.",
  "error seed-length": "A seed has {expected} letters; this one has {found}.",
  "error seed-letters": "This is no seed: it may hold letters, digits, - and _, and = at its end.",
  "error failed": "The network stopped with an error: {message}",
};

const zh = {
  title: "角色工厂",
  intro:
    "每张图片都由你浏览器里的神经网络画出。可以选定属性，也可以交给运气；喜欢的就收藏，" +
    "再换属性、渐变、混合。任何数据都不会离开这台设备。",
  language: "English",
  views: "视图",
  draw: "抽卡",
  favourites: "收藏",
  change: "换属性",
  morph: "渐变",
  mix: "混合",
  attributes: "属性",
  chosen: "已选 {n} 项",
  reset: "全部随机",
  any: "随机",
  "as it is": "保持不变",
  none: "无",
  "hint draw": "选“随机”的属性，每个角色各自抽签。",
  "hint favourites": "你的收藏，最新的在前，保存在此浏览器中。",
  "hint change": "同样的角色，换上别的属性。空位由新角色补足。",
  "hint morph": "噪声不变，从角色自己的属性到你选的属性，共七步。",
  "hint mix": "从一个角色到另一个角色，共七步。属性不变：用第一个角色的，或用你选的。",
  drawNew: "抽 16 张",
  drawMore: "再来 16 张",
  newOthers: "空位换新角色",
  character: "角色",
  first: "第一个",
  second: "第二个",
  path: "路径",
  linear: "直线",
  spherical: "圆弧",
  "hint path": "直线中点的噪声比平常短，画面的差别变小；圆弧保持噪声的长度。",
  saveStrip: "七张存为 PNG",
  exportFavourites: "存为文件",
  importFavourites: "从文件添加…",
  limit: "最多保留",
  noFavourites: "还没有收藏。点角色上的心形即可收藏。",
  seedTitle: "打开分享码",
  seedHint: "分享码是角色的噪声，共 {n} 个字符，不含属性。",
  seed: "分享码",
  open: "打开",
  copy: "复制",
  copied: "分享码已复制。",
  copyFailed: "此处不允许复制；分享码已选中，请按 Ctrl+C。",
  savePng: "存为 PNG",
  close: "关闭",
  addFavourite: "加入收藏",
  removeFavourite: "取消收藏",
  look: "{name}：详情",
  numbered: "角色 {n}",
  step: "第 {n} 步，共 7 步",
  model: "模型",
  modelHint:
    "可以打开用 <code>design-gans export RUN --format onnx</code> 导出的任何生成器：" +
    "选择或拖入 .onnx 文件和旁边的 .json 文件。",
  openModel: "打开模型…",
  modelIs: "{name}：{width} × {height} 像素，{size} MB",
  loading: "正在加载网络…",
  drawing: "正在绘制…",
  drawn: "{n} 个角色，用时 {seconds} 秒。",
  loaded: "{name} 已加载。",
  added: "已加入收藏。",
  removed: "已取消收藏。",
  dropped: "超出 {limit} 个，删去最旧的收藏：{n} 个。",
  notSaved: "此浏览器不为本页保存数据，请把收藏存为文件。",
  imported: "从文件添加的收藏：{n} 个。",
  "error runtime-missing":
    "本站构建时缺少运行库（onnxruntime-web），或浏览器无法启动它。请在能访问 npm 源时重新构建文档。",
  "error model-missing":
    "本站还没有模型“{name}”。请在下面打开你自己的模型：一个 .onnx 文件和它的 .json 文件。",
  "error model-broken": "这个文件不是可以运行的网络：已损坏，或不是 ONNX 文件。",
  "error model-inputs":
    "网络与 .json 不相符。网络的输入是：{found}。应为 noise；若 .json 里有属性，" +
    "还应有 attributes，长度与其一致。",
  "error model-shape": "网络输出为 {found}（张数 × 高 × 宽 × 通道），按 .json 应为 {expected}。",
  "error description-broken": ".json 文件不符合要求，问题在：{entry}。",
  "error files-needed": "请同时选择两个文件：网络（.onnx）和它的描述（.json）。",
  "error favourites-broken": "这个文件里没有本页的收藏。",
  "error favourites-other": "这些收藏属于另一个模型：{model}。",
  "error seed-length": "分享码应有 {expected} 个字符，这里有 {found} 个。",
  "error seed-letters": "这不是分享码：只能含字母、数字、- 和 _，末尾可有 =。",
  "error failed": "网络出错停止：{message}",
};

// Names of the attributes of the data set `faces`. A model's .json may bring names of its own.
const attributesZh = {
  hair_color: "发色",
  hair_style: "发型",
  eyes: "眼睛",
  mouth: "嘴",
  glasses: "眼镜",
  beard: "胡子",
  accessory: "饰品",
  clothes_color: "衣服颜色",
  black: "黑色",
  brown: "棕色",
  blond: "金色",
  red: "红色",
  grey: "灰色",
  pink: "粉色",
  blue: "蓝色",
  green: "绿色",
  yellow: "黄色",
  purple: "紫色",
  white: "白色",
  shaggy: "碎发",
  frizzy: "小卷发",
  afro: "爆炸头",
  bob: "波波头",
  curly: "卷发",
  "long straight": "长直发",
  "long wavy": "长卷发",
  "hair_style: short": "短发",
  "eyes: open": "睁眼",
  closed: "闭眼",
  wide: "睁大",
  wink: "眨眼",
  smile: "微笑",
  serious: "严肃",
  sad: "难过",
  "mouth: open": "张嘴",
  round: "圆框",
  square: "方框",
  moustache: "小胡子",
  "beard: short": "短须",
  "beard: long": "长须",
  headband: "发带",
  flowers: "花",
  hat: "帽子",
  yes: "有",
};

const languages = { en, zh };
let language = "en";

export function setLanguage(name) {
  language = name in languages ? name : "en";
}

export const currentLanguage = () => language;

/** The text `key`, with `{name}` replaced by the values. */
export function text(key, values = {}) {
  return (languages[language][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

const readable = (name) => {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export function groupName(group) {
  if (language === "zh") return group.group_zh ?? attributesZh[group.group] ?? group.group;
  return readable(group.group);
}

export function valueName(group, index) {
  const name = group.names[index];
  if (language !== "zh") return name.replaceAll("_", " ");
  return (
    group.names_zh?.[index] ?? attributesZh[`${group.group}: ${name}`] ?? attributesZh[name] ?? name
  );
}
